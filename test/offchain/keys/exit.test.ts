import { expect } from "chai";
import { createBeaconConfig } from "@lodestar/config";
import { networksChainConfig, genesisData } from "@lodestar/config/networks";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import { deriveValidatorKeys } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { voluntaryExitRoot } from "../../../devnet/real/signing.ts";
import { EXIT_DOMAINS, exitJson, isValidExit, parseExit, signExit } from "../../../offchain/keys/exit.ts";
import type { ExitDomain } from "../../../offchain/keys/exit.ts";

const [key, other] = deriveValidatorKeys(2) as [ValidatorKey, ValidatorKey];
const { hoodi, mainnet } = EXIT_DOMAINS as { hoodi: ExitDomain; mainnet: ExitDomain };
const exit = { epoch: 300_000, validatorIndex: 1_234_567 };

describe("voluntary exits", () => {
  it("are signed over Capella's version of each network, as another implementation signs them", () => {
    for (const [network, domain] of Object.entries(EXIT_DOMAINS)) {
      const name = network as "mainnet" | "hoodi" | "sepolia";
      const root = getBytes(genesisData[name].genesisValidatorsRoot);
      const config = createBeaconConfig(networksChainConfig[name], root);
      expect(domain.capellaForkVersion).to.equal(hexlify(config.CAPELLA_FORK_VERSION));
      // long after Deneb, where EIP-7044 holds
      const message = { ...exit, epoch: config.ELECTRA_FORK_EPOCH + 1 };
      const signed = signExit(key, message, domain);
      expect(signed.signature, network).to.equal(key.sign(voluntaryExitRoot(config, message)));
    }
  });

  it("are valid for their key, validator, epoch and chain only", () => {
    const signed = signExit(key, exit, hoodi);
    expect(isValidExit(key.pubkey, signed, hoodi)).to.equal(true);
    expect(isValidExit(other.pubkey, signed, hoodi)).to.equal(false);
    expect(isValidExit(key.pubkey, { ...signed, validatorIndex: 1 }, hoodi)).to.equal(false);
    expect(isValidExit(key.pubkey, { ...signed, epoch: 1 }, hoodi)).to.equal(false);
    expect(isValidExit(key.pubkey, signed, mainnet)).to.equal(false);
    expect(isValidExit(key.pubkey, { ...signed, signature: "0x12" }, hoodi)).to.equal(false);
  });

  it("are written as the Beacon API takes them, and read back; what is none is refused", () => {
    const signed = signExit(key, exit, hoodi);
    expect(() => ssz.phase0.SignedVoluntaryExit.fromJson(exitJson(signed))).to.not.throw();
    expect(parseExit(JSON.stringify(exitJson(signed)))).to.deep.equal(signed);
    for (const text of ["", "{}", "[]", "null", JSON.stringify({ ...exitJson(signed), signature: "0x" })])
      expect(() => parseExit(text), text).to.throw("not a signed voluntary exit");
  });
});
