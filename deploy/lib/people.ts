/** Who governs a deployment to a live network: from the environment (see .env.example), one line per problem. */
import { isAddress, ZeroAddress } from "ethers";
import type { People } from "./parameters.ts";

export class SettingsError extends Error {}

/** @throws SettingsError naming every variable that is missing or malformed */
export function peopleFrom(env: Readonly<Record<string, string | undefined>>): People {
  const problems: string[] = [];
  const address = (name: string): string => {
    const value = env[name]?.trim() ?? "";
    if (value === "") problems.push(`${name}: missing`);
    else if (!isNonZeroAddress(value)) problems.push(`${name}: not an address: ${value}`);
    return value;
  };
  const governor = address("ESTUARY_GOVERNOR");
  const guardian = address("ESTUARY_GUARDIAN");
  const treasury = address("ESTUARY_TREASURY");
  const committee: string[] = (env["ESTUARY_COMMITTEE"] ?? "")
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  for (const member of committee)
    if (!isNonZeroAddress(member)) problems.push(`ESTUARY_COMMITTEE: not an address: ${member}`);
  if (committee.length === 0) problems.push("ESTUARY_COMMITTEE: missing");
  const quorum = Number(env["ESTUARY_QUORUM"] ?? "");
  if (!Number.isInteger(quorum) || quorum * 2 <= committee.length || quorum > committee.length)
    problems.push(`ESTUARY_QUORUM: more than half of the ${committee.length} members, and at most all of them`);
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  return { governor, guardian, treasury, committee, quorum: BigInt(quorum) };
}

function isNonZeroAddress(text: string): boolean {
  const valid: boolean = isAddress(text);
  return valid && text !== ZeroAddress;
}
