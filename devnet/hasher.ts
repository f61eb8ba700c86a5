/** Imported for its effect: the WebAssembly SHA-256 hashes a beacon state five times as fast as the default. */
import { setHasher } from "@chainsafe/persistent-merkle-tree";
import { hasher } from "@chainsafe/persistent-merkle-tree/hasher/as-sha256";

setHasher(hasher);
