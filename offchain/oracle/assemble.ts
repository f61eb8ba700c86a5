/** A member from its settings: the same for the daemon, its single turns, and the tests. */
import { BeaconClient } from "../beacon/client.ts";
import { connect } from "../chain/connect.ts";
import type { Deployment, Protocol } from "../chain/connect.ts";
import { ExecutionProvider } from "../chain/provider.ts";
import { ValidatorReader } from "../chain/validatorReader.ts";
import type { Clock } from "../util/clock.ts";
import { closeServer, portOf } from "../util/health.ts";
import type { Log } from "../util/log.ts";
import { loadSigner } from "../util/signer.ts";
import type { OracleConfig } from "./config.ts";
import { makeExchange } from "./exchange.ts";
import { Journal } from "./journal.ts";
import { Member } from "./member.ts";
import { makeMetrics } from "./metrics.ts";
import type { OracleMetrics } from "./metrics.ts";
import { makePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { serveSignatures } from "./server.ts";
import { SignatureBook } from "./signatureBook.ts";
import type { Sources } from "./snapshot.ts";

export interface Nodes extends Sources {
  readonly protocol: Protocol;
  readonly beacon: BeaconClient;
  readonly peers: readonly Peer[];
  readonly metrics: OracleMetrics;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** Those that are served already. */
  readonly metrics?: OracleMetrics;
}

export interface Assembled extends Nodes {
  readonly member: Member;
  readonly address: string;
  readonly journal: Journal;
  /** Of the door to the peers. */
  readonly port: number;
  close(): Promise<void>;
}

/** Both layers, ready to be asked: all that reading a report needs. @throws AppError */
export async function connectNodes(
  config: OracleConfig,
  deployment: Deployment,
  { clock, log, metrics = makeMetrics() }: Surroundings,
): Promise<Nodes> {
  const provider = new ExecutionProvider({
    urls: config.EXECUTION_URLS,
    chainId: deployment.chainId,
    timeoutSeconds: config.REQUEST_TIMEOUT,
    onFailure: (host, message) => log.warn({ host, message }, "execution node failed"),
  });
  const protocol = await connect(provider, deployment);
  const beacon = new BeaconClient({
    urls: config.BEACON_URLS,
    clock,
    timeoutSeconds: config.REQUEST_TIMEOUT,
    chainId: protocol.chainId,
    onFailure: (host, message) => {
      metrics.beaconFailures.inc({ host });
      log.warn({ host, message }, "beacon node failed");
    },
  });
  const validators = new ValidatorReader(protocol.validators, provider, protocol.fromBlock);
  const peers = (config.PEERS ?? []).map((url) => makePeer(url));
  return { protocol, beacon, validators, peers, metrics };
}

/** With the signer, the journal and the door open. `close` ends it. @throws AppError */
export async function assemble(
  config: OracleConfig,
  deployment: Deployment,
  surroundings: Surroundings,
): Promise<Assembled> {
  const { clock, log } = surroundings;
  const nodes = await connectNodes(config, deployment, surroundings);
  const { protocol, peers, metrics } = nodes;
  const signer = await loadSigner(config, protocol.provider);
  const address = (await signer.getAddress()).toLowerCase();
  const oracle = await protocol.oracle.getAddress();
  const journal = new Journal(config.DATA_DIR, { chainId: protocol.chainId, oracle, member: address });
  try {
    const book = new SignatureBook();
    const exchange = makeExchange(peers, book, log, metrics);
    const services = { ...nodes, clock, signer, journal, book, exchange, log };
    const member = new Member(services, {
      takeOverDelay: config.TAKE_OVER_DELAY,
      maxFeePerGas: config.MAX_FEE_GWEI,
      receiptTimeout: config.RECEIPT_TIMEOUT,
    });
    const door = await serveSignatures(
      {
        book,
        clock,
        own: () => journal.signed,
        onSigned: (verdict, entry) => exchange.noticed(verdict, entry),
        onAnswer: (status) => metrics.requests.inc({ status: String(status) }),
      },
      config.LISTEN_HOST,
      config.LISTEN_PORT,
    );
    const close = async (): Promise<void> => {
      await closeServer(door);
      journal.close();
    };
    return { ...nodes, member, address, journal, port: portOf(door), close };
  } catch (error) {
    journal.close();
    throw error;
  }
}
