/** Headers and blocks: reading them, and publishing a signed one. */
import { ssz } from "@lodestar/types";
import type { electra, phase0 } from "@lodestar/types";
import { hexlify } from "ethers";
import type { BeaconChain } from "../chain.ts";
import { InvalidBlockError } from "../chain.ts";
import type { BlockEntry } from "../history.ts";
import { findBlock, metaOf, typesAt, versionAt, wholeNumber } from "./lookups.ts";
import { ApiError, get, isSsz, jsonOf, post, prefersSsz } from "./router.ts";
import type { ApiReply, ApiRequest, Route } from "./router.ts";

export function blockRoutes(chain: BeaconChain): Route[] {
  return [
    get("/eth/v1/beacon/headers", ({ query }) => {
      const entries = headersOf(chain, query.get("slot"), query.get("parent_root"));
      const data = entries.map((entry) => headerJson(chain, entry));
      return { json: { ...metaOf(chain, entries[0]?.slot ?? 0), data } };
    }),
    get("/eth/v1/beacon/headers/:block", ({ params }) => {
      const entry = findBlock(chain, params["block"] ?? "");
      return { json: { ...metaOf(chain, entry.slot), data: headerJson(chain, entry) } };
    }),
    get("/eth/v2/beacon/blocks/:block", (request) => {
      const entry = findBlock(chain, request.params["block"] ?? "");
      const signed = chain.history.block(entry);
      const { SignedBeaconBlock } = typesAt(chain, entry.slot);
      const version = versionAt(chain, entry.slot);
      const headers = { "eth-consensus-version": version };
      if (prefersSsz(request)) return { headers, bytes: SignedBeaconBlock.serialize(signed) };
      return { headers, json: { version, ...metaOf(chain, entry.slot), data: SignedBeaconBlock.toJson(signed) } };
    }),
    get("/eth/v1/beacon/blocks/:block/root", ({ params }) => {
      const entry = findBlock(chain, params["block"] ?? "");
      return { json: { ...metaOf(chain, entry.slot), data: { root: entry.root } } };
    }),
    get("/eth/v2/beacon/blocks/:block/attestations", ({ params }) => {
      const entry = findBlock(chain, params["block"] ?? "");
      const { attestations } = chain.history.block(entry).message.body;
      const data = attestations.map((attestation) => ssz.electra.Attestation.toJson(attestation));
      return { json: { version: versionAt(chain, entry.slot), ...metaOf(chain, entry.slot), data } };
    }),
    get("/eth/v1/beacon/blob_sidecars/:block", ({ params }) => {
      const entry = findBlock(chain, params["block"] ?? "");
      return { json: { version: versionAt(chain, entry.slot), ...metaOf(chain, entry.slot), data: [] } };
    }),
    post("/eth/v2/beacon/blocks", (request) => publish(chain, request)),
    post("/eth/v1/beacon/blocks", (request) => publish(chain, request)),
  ];
}

async function publish(chain: BeaconChain, request: ApiRequest): Promise<ApiReply> {
  const signed = parseSignedBlock(request);
  if (signed.message.slot <= chain.head.entry.slot) {
    // the same block again is no error
    const known = chain.history.atSlot(signed.message.slot);
    const root = hexlify(typesAt(chain, signed.message.slot).BeaconBlock.hashTreeRoot(signed.message));
    if (known?.root === root) return {};
  }
  try {
    await chain.importBlock(signed);
  } catch (error) {
    if (error instanceof InvalidBlockError) throw new ApiError(400, error.message);
    throw error;
  }
  return {};
}

/** Block contents (with its empty blobs), or a signed block alone. */
function parseSignedBlock(request: ApiRequest): electra.SignedBeaconBlock {
  try {
    if (isSsz(request)) return ssz.electra.SignedBlockContents.deserialize(request.body).signedBlock;
    const json = jsonOf(request) as { signed_block?: unknown };
    return ssz.electra.SignedBeaconBlock.fromJson(json.signed_block ?? json);
  } catch (error) {
    throw new ApiError(400, `not a signed block: ${(error as Error).message}`);
  }
}

function headersOf(chain: BeaconChain, slot: string | null, parentRoot: string | null): BlockEntry[] {
  const { history, head } = chain;
  if (slot === null && parentRoot === null) return [head.entry];
  const found = slot === null ? undefined : history.atSlot(wholeNumber("slot", slot));
  if (parentRoot === null) return found === undefined ? [] : [found];
  const parent = history.byRoot(parentRoot.toLowerCase() as BlockEntry["root"]);
  const child = parent === undefined ? undefined : history.childOf(parent);
  return child === undefined || (slot !== null && found !== child) ? [] : [child];
}

function headerJson(chain: BeaconChain, entry: BlockEntry): object {
  const { message, signature } = chain.history.block(entry);
  const { BeaconBlockBody } = typesAt(chain, entry.slot);
  const header: phase0.BeaconBlockHeader = { ...message, bodyRoot: BeaconBlockBody.hashTreeRoot(message.body) };
  return {
    root: entry.root,
    canonical: true,
    header: { message: ssz.phase0.BeaconBlockHeader.toJson(header), signature: hexlify(signature) },
  };
}
