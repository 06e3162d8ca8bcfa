import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { registerApplication } from '../../database/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { PAYER_CANARIES, type Tenant } from './application.ts';
import { searchFor, type Canary } from './canaries.ts';
import { startCluster, STORE_PASSWORDS, type Cluster } from './cluster.ts';
import type { FaultLog } from './fault-log.ts';
import { openBooks } from './gateway-books.ts';
import { hireStaff, type Staff } from './operators.ts';
import { openHistories } from './histories.ts';
import { openInbox } from './inbox.ts';
import { openOwner } from './owner.ts';
import type { Run } from './round.ts';
import { controlGateway } from './simulator-control.ts';
import { openTimeLapse } from './time-lapse.ts';

/** Three applications: two with receivers of their own, one of them in LIVE where late money is given back at once, one that only reads. */
const TENANTS = [
  { index: 0, mode: 'TEST', receiver: 0, name: 'Fault shop 0', thresholdMinor: 20_000, latePaymentPolicy: 'REVIEW' },
  { index: 1, mode: 'LIVE', receiver: 1, name: 'Fault shop 1', thresholdMinor: 0, latePaymentPolicy: 'REFUND' },
  { index: 2, mode: 'TEST', receiver: null, name: 'Fault shop 2', thresholdMinor: null, latePaymentPolicy: 'REVIEW' },
] as const;
const RATE_LIMIT_PER_MINUTE = 1_000_000;
const STORES = { TEST: 'fault_test', LIVE: 'fault_live' } as const;
const LOGS = ['api-0', 'api-1', 'worker-0', 'worker-1', 'postgres', 'temporal', 'migrate'];

export interface OpenRun {
  readonly run: Run;
  close(): Promise<void>;
}

/** Starts the stack, registers the applications and opens every book. What was started is stopped when any of it fails. */
export async function openRun(): Promise<OpenRun> {
  let log: FaultLog | undefined;
  const cluster = await startCluster((line) => log?.note(line));
  const closing: (() => Promise<void>)[] = [() => cluster.stop()];
  const close = async (): Promise<void> => {
    for (const end of closing.toReversed()) {
      await end().catch((error: unknown) => console.error(`while closing: ${String(error)}`));
    }
  };
  try {
    return { run: await assemble(cluster, closing, (heard) => (log = heard)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  cluster: Cluster,
  closing: (() => Promise<void>)[],
  hear: (log: FaultLog) => void,
): Promise<Run> {
  const database = await openDatabase({ url: cluster.databaseUrl, poolSize: 2 });
  closing.push(() => database.close());
  const owner = await openOwner(cluster.databaseUrl);
  closing.push(() => owner.close());
  const histories = await openHistories(cluster.temporal);
  closing.push(() => histories.close());
  const workers = [cluster.members.get('worker-0'), cluster.members.get('worker-1')];
  const isDead = (pid: number): boolean => workers.every((worker) => worker?.pid() !== pid);
  const lapse = await openTimeLapse({ owner, ...cluster.temporal, isDead });
  closing.push(() => lapse.close());
  const secrets = createSecretBox(cluster.masterKey);
  const tenants: Tenant[] = [];
  for (const { index, mode, receiver, name, thresholdMinor, latePaymentPolicy } of TENANTS) {
    const registration = await registerApplication(
      { database, secrets },
      {
        name,
        webhookUrl: receiver === null ? null : cluster.receivers[receiver].webhookUrl,
        rateLimitPerMinute: RATE_LIMIT_PER_MINUTE,
        refundApprovalThresholdMinor: thresholdMinor === null ? null : BigInt(thresholdMinor),
        latePaymentPolicy,
      },
    );
    tenants.push({ index, mode, receiver, registration, thresholdMinor });
  }
  const staff = await hireStaff(database);
  const control = controlGateway(cluster.simulatorUrl);
  await control.hurry();
  return {
    cluster,
    tenants,
    staff,
    tokens: new Map(),
    database,
    owner,
    histories,
    lapse,
    control,
    hear,
    stores: STORES,
    temporal: cluster.temporal,
    books: openBooks(join(cluster.directory, 'simulators')),
    delivered: [],
    inboxes: ([0, 1] as const).map((receiver) =>
      openInbox(cluster.receivers[receiver].logFile, {
        receiver,
        secrets: tenants
          .filter((tenant) => tenant.receiver === receiver)
          .map(({ registration }) => registration.signingSecret),
      }),
    ),
    canaries: searchFor(
      canariesOf(cluster, { tenants, staff }),
      LOGS.map((name) => ({ place: `the log of ${name}`, file: cluster.logFile(name) })),
    ),
  };
}

function canariesOf(cluster: Cluster, { tenants, staff }: { tenants: readonly Tenant[]; staff: Staff }): Canary[] {
  return [
    { name: "a payer's e-mail address", text: '@payer.example' },
    { name: "a payer's name", text: PAYER_CANARIES.name },
    { name: "a payer's phone number", text: PAYER_CANARIES.phone },
    { name: 'the test store password', text: STORE_PASSWORDS.TEST },
    { name: 'the live store password', text: STORE_PASSWORDS.LIVE },
    { name: 'the master key', text: cluster.masterKey.split(':').at(-1) ?? cluster.masterKey },
    { name: "the database owner's password", text: new URL(cluster.databaseUrl).password },
    { name: "an operator's session", text: 'ops_' },
    ...Object.values(staff).map(({ email, password }) => ({ name: `the password of ${email}`, text: password })),
    ...tenants.flatMap(({ index, registration }) => [
      { name: `the TEST secret of application ${index}`, text: registration.test.apiSecret },
      { name: `the LIVE secret of application ${index}`, text: registration.live.apiSecret },
      { name: `the signing secret of application ${index}`, text: registration.signingSecret.replace('whsec_', '') },
    ]),
  ];
}

/** 64 bits that nobody chose. */
export function freshSeed(): bigint {
  return randomBytes(8).readBigUInt64BE();
}
