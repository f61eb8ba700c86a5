/** `npm run pack:sdk [-- <folder>]`: the packages for integrators as tarballs, in `dist/` or that folder. */
import { packAll } from "./lib/packages.ts";

for (const [name, file] of Object.entries(packAll(process.argv[2] ?? "dist")))
  console.log(`${name.padEnd(10)} ${file}`);
