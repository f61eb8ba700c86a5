import { expect } from "chai";
import { network } from "hardhat";
import { SimulatedBeacon } from "../../../../devnet/simulated/beacon.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../../offchain/beacon/contractProofs.ts";
import { strangerPubkey } from "../../../../devnet/keys.ts";
import { BEACON_ROOTS } from "../../../../devnet/predeploys.ts";

describe("devnet proofs in Solidity", () => {
  for (const fork of ["electra", "fulu"] as const) {
    it(`are accepted by BeaconProof against the real EIP-4788 contract: ${fork}`, async () => {
      const { ethers, provider } = await network.create();
      const beacon = await SimulatedBeacon.start(provider, { fork });
      const verifier = await ethers.deployContract("BeaconProof", [0n, 0n, 2n ** 64n - 1n, 2n ** 64n - 1n]);
      await beacon.advanceEpochs(3);
      await beacon.advanceSlots(1);
      const pubkey = strangerPubkey(37);
      const proof = contractValidatorProof(beacon.proveValidator(pubkey));
      const balance = beacon.proveBalance(pubkey);
      expect(proof.branch.length, "6 levels of 64 validators, then 7").to.be.at.most(13);
      const proven: bigint = await verifier.verifyValidatorAndBalance(proof, contractBalanceProof(balance));
      expect(proven).to.equal(balance.balanceGwei);

      const poorer = { ...proof, validator: { ...proof.validator, effectiveBalanceGwei: 31_000_000_000n } };
      await expect(verifier.verifyValidator(poorer)).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      const otherTime = { ...proof, rootTimestamp: proof.rootTimestamp - 12n };
      await expect(verifier.verifyValidator(otherTime)).to.be.revert(ethers);
      expect(await ethers.provider.getCode(BEACON_ROOTS)).to.not.equal("0x");
    });
  }
});
