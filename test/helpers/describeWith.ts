/** A suite that has a script of its own in package.json: passed over where the script's environment variable is not set. */
export function describeWith(variable: string): (title: string, suite: (this: Mocha.Suite) => void) => void {
  return process.env[variable] === undefined ? () => undefined : describe;
}
