import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { registerApplication, type Registration } from '../../core/applications/store/applications.ts';
import { issueCredential } from '../../core/applications/store/credentials.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { saveMapping } from '../../core/payouts/store/mappings.ts';
import { chooseStore } from '../../core/gateways/store/stores.ts';
import type { Mode } from '../../domain/mode.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { createSecretBox, type SecretBox } from '../../runtime/secrets.ts';
import { runtimeLogins } from '../../scripts/shared/runtime-logins.ts';
import { TRADING_GATEWAYS } from '../trade/gateways.ts';
import { mappingOf } from '../trade/sales.ts';
import { PAYER_CANARIES, SHOP_ORIGIN, type Tenant } from './application.ts';
import { searchFor, type Canary } from './canaries.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { STORES, STORE_SECRETS } from './gateways.ts';
import type { FaultLog } from './fault-log.ts';
import { openBooks } from './gateway-books.ts';
import { hireStaff, type Staff } from './operators.ts';
import { openHistories } from './histories.ts';
import { openInbox } from './inbox.ts';
import { openOwner, type Owner } from './owner.ts';
import { booksWithout } from './restore.ts';
import type { Run } from './round.ts';
import { controlGateway } from './simulator-control.ts';
import { openTimeLapse } from './time-lapse.ts';

/**
 * Three applications: two with their own receivers, and one that only reads. One of the first two is in LIVE, where unapplied payments are refunded
 * at once.
 */
const TENANTS = [
  {
    index: 0,
    mode: 'TEST',
    receiver: 0,
    name: 'Fault shop 0',
    thresholdMinor: 20_000,
    unappliedPaymentPolicy: 'REVIEW',
  },
  { index: 1, mode: 'LIVE', receiver: 1, name: 'Fault shop 1', thresholdMinor: 0, unappliedPaymentPolicy: 'REFUND' },
  {
    index: 2,
    mode: 'TEST',
    receiver: null,
    name: 'Fault shop 2',
    thresholdMinor: null,
    unappliedPaymentPolicy: 'REVIEW',
  },
] as const;
const RATE_LIMIT_PER_MINUTE = 1_000_000;
/** The texts that payers read for manual payments. One hour is the minimum payment time. */
const BY_HAND = {
  label: { en: 'Bank transfer', bn: 'ব্যাংক ট্রান্সফার' },
  instructions: { en: 'Account 0123 456 789', bn: 'হিসাব ০১২৩ ৪৫৬ ৭৮৯' },
  payWithinHours: 1,
};
const LOGS = ['api-0', 'api-1', 'worker-0', 'worker-1', 'postgres', 'temporal', 'migrate'];

export interface OpenRun {
  readonly run: Run;
  close(): Promise<void>;
}

/** Starts the stack, registers the applications and opens all records. If any part fails, it stops what it had started. */
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
  for (const { index, mode, receiver, name, thresholdMinor, unappliedPaymentPolicy } of TENANTS) {
    const registration = await registerApplication(
      { database, secrets },
      {
        name,
        webhookUrl: receiver === null ? null : cluster.receivers[receiver].webhookUrl,
        rateLimitPerMinute: RATE_LIMIT_PER_MINUTE,
        refundApprovalThresholdMinor: thresholdMinor === null ? null : BigInt(thresholdMinor),
        unappliedPaymentPolicy,
        returnOrigins: [SHOP_ORIGIN],
      },
    );
    const { applicationId } = registration;
    const { apiKey: ownpayKey } = await issueCredential({ database }, { applicationId, mode, contract: 'ownpay' });
    tenants.push({ index, mode, receiver, registration, ownpayKey, thresholdMinor });
  }
  await openAccounts(database, secrets);
  const staff = await hireStaff(database);
  await savePayoutMappings(database, staff);
  const control = controlGateway(cluster.simulatorUrl);
  await control.hurry();
  const allBooks = openBooks(join(cluster.directory, 'simulators'), (orders) => marksOf(owner, orders));
  const lostOrders = new Set<string>();
  return {
    cluster,
    tenants,
    staff,
    tokens: new Map(),
    database,
    owner,
    histories,
    lapse,
    secrets,
    control,
    hear,
    stores: STORES,
    temporal: cluster.temporal,
    books: booksWithout(allBooks, lostOrders),
    allBooks,
    lostOrders,
    delivered: [],
    inboxes: ([0, 1] as const).map((receiver) =>
      openInbox(cluster.receivers[receiver].logFile, {
        receiver,
        secrets: tenants
          .filter((tenant) => tenant.receiver === receiver)
          .map(({ mode, registration }) => secretOf(registration, mode)),
      }),
    ),
    canaries: searchFor(
      canariesOf(cluster, { tenants, staff }),
      LOGS.map((name) => ({ place: `the log of ${name}`, file: cluster.logFile(name) })),
    ),
  };
}

/** Returns the secret that signs a mode's events. The other mode's secret is not valid for them. */
function secretOf({ signingSecret, testSigningSecret }: Registration, mode: Mode): string {
  return mode === 'LIVE' ? signingSecret : testSigningSecret;
}

/** Creates one account for manual payments in each mode. */
async function openAccounts(database: Database, secrets: SecretBox): Promise<void> {
  await database.withOperator('every-app', async (em) => {
    for (const mode of ['TEST', 'LIVE'] as const) {
      const slot = { applicationId: null, mode, gateway: 'manual' };
      await chooseStore(em, secrets, { ...slot, storeId: `account ${mode}`, password: JSON.stringify(BY_HAND) });
    }
  });
}

/** Saves how the files of the gateways are read. */
async function savePayoutMappings(database: Database, { finance: { id } }: Staff): Promise<void> {
  await database.withOperator('every-app', async (em) => {
    for (const { name, mapping } of TRADING_GATEWAYS) {
      if (mapping !== null) {
        const text = JSON.stringify(PayoutMapping.parse(mappingOf(mapping)));
        await saveMapping(em, { gateway: name, storeId: null, mapping: text, operatorId: BigInt(id) });
      }
    }
  });
}

/** Returns the marks of orders for which the gateway does not record the product. */
async function marksOf(owner: Owner, orders: readonly string[]): Promise<Map<string, string>> {
  const rows = await owner.run<{ order: string; mark: string }>(
    `select t.reference as order, p.product_name as mark from payment_attempts t join payments p on p.id = t.payment_id
     where t.reference = any(string_to_array(?, ' ')) and p.product_name is not null`,
    [orders.join(' ')],
  );
  return new Map(rows.map(({ order, mark }) => [order, mark]));
}

function canariesOf(cluster: Cluster, { tenants, staff }: { tenants: readonly Tenant[]; staff: Staff }): Canary[] {
  return [
    { name: "a payer's e-mail address", text: '@payer.example' },
    { name: "a payer's name", text: PAYER_CANARIES.name },
    { name: "a payer's phone number", text: PAYER_CANARIES.phone },
    { name: 'a secret of the test stores', text: STORE_SECRETS.TEST },
    { name: 'a secret of the live stores', text: STORE_SECRETS.LIVE },
    ...cluster.gatewayKeys.map((text) => ({ name: 'a private key of a merchant', text })),
    { name: 'the master key', text: cluster.masterKey.split(':').at(-1) ?? cluster.masterKey },
    { name: "the database owner's password", text: new URL(cluster.databaseUrl).password },
    ...Object.entries(runtimeLogins(cluster.databaseUrl)).map(([role, url]) => ({
      name: `the password of ${role}`,
      text: new URL(url).password,
    })),
    { name: "an operator's session", text: 'ops_' },
    ...Object.values(staff).map(({ email, password }) => ({ name: `the password of ${email}`, text: password })),
    ...tenants.flatMap(({ index, registration, ownpayKey }) => [
      { name: `the OwnPay key of application ${index}`, text: ownpayKey },
      { name: `the TEST secret of application ${index}`, text: registration.test.apiSecret },
      { name: `the LIVE secret of application ${index}`, text: registration.live.apiSecret },
      ...(['TEST', 'LIVE'] as const).map((mode) => ({
        name: `the ${mode} signing secret of application ${index}`,
        text: secretOf(registration, mode).replace('whsec_', ''),
      })),
    ]),
  ];
}

export function freshSeed(): bigint {
  return randomBytes(8).readBigUInt64BE();
}
