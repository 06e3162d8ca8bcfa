import { parseArgs } from 'node:util';
import { readRestores } from '../../core/maintenance/store/after-restore.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { GatewayExecutions } from '../../core/gateways/store/executions.ts';
import { GatewayTokens } from '../../core/gateways/store/tokens.ts';
import { recordVerification } from '../../core/ledger/proof.ts';
import { Findings } from '../../core/ledger/verify/findings.ts';
import { verifyLedger } from '../../core/ledger/verify/verify.ts';
import type { Witness } from '../../core/ledger/verify/verify-chain.ts';
import { manualRecords } from '../../core/manual-payments/store/manual-records.ts';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { BKASH_CAPABILITIES } from '../../gateways/bkash/gateway.ts';
import { createGatewayRegistry } from '../../gateways/registry.ts';
import { readConfig } from '../../runtime/config.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { LOOP_IDS } from '../../workflows/messages/names.ts';
import { queryGateways } from './query-gateways.ts';
import { readEvidence } from './read-evidence.ts';
import { sealHeads } from './seal-heads.ts';
import { sealingWitnesses } from './sealing-witnesses.ts';
import { reportInJson, reportInWords, TAIL_SECONDS_MAX, type VerifyReport } from './verify-words.ts';
import { findVerifyTarget, type VerifyTarget } from './verify-target.ts';

const USAGE = `npm run verify -- [--ask] [--all-witnesses] [--heads FILE] [--json] [--directory DIR]

Verifies the ledger: hash chain, balances, and payment = ledger = the gateway's stored answer. Lists the first bad row first.
  --ask             also query the gateways for every posted charge
  --all-witnesses   compare the chain with every pass of the sealer that Temporal keeps, instead of a sample
  --heads FILE      compare the chain with the heads that workers logged, in a file of such lines; may be repeated
  --json            one line of JSON
  --directory DIR   data directory of the running stack (default .lenden); DATABASE_URL and TEMPORAL_ADDRESS take precedence
Exit: 0 no findings, 1 findings, 2 could not verify.`;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        ask: { type: 'boolean', default: false },
        'all-witnesses': { type: 'boolean', default: false },
        heads: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        directory: { type: 'string', default: '.lenden' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const report = await verify(await findVerifyTarget(values.directory), {
      ask: values.ask,
      allWitnesses: values['all-witnesses'],
      headFiles: values.heads,
    });
    console.log(values.json ? reportInJson(report) : reportInWords(report));
    return report.ok ? 0 : 1;
  } catch (error) {
    console.error(`Could not verify: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

async function verify(
  target: VerifyTarget,
  { ask, allWitnesses, headFiles }: { ask: boolean; allWitnesses: boolean; headFiles: readonly string[] },
): Promise<VerifyReport> {
  const notices: string[] = [];
  // Must run before the snapshot, so that a seal made in between is in the chain rather than missing from it.
  const witnesses = await gatherWitnesses(target, { all: allWitnesses, notices });
  const heads = (await Promise.all(headFiles.map((file) => sealHeads(file)))).flat();
  const database = await openDatabase({ url: target.databaseUrl, poolSize: 2 });
  try {
    const { findings, findingCount, ...ledger } = await verifyLedger(database, {
      readEvidence,
      witnesses: [...(witnesses ?? []), ...heads],
    });
    for (const { at, lastSealId } of await database.withSystem(readRestores)) {
      notices.push(
        `an older backup was restored before ${at.toISOString()}: earlier seals with a number above ${lastSealId} are not compared`,
      );
    }
    if (ledger.chain.undoneWitnesses > 0) {
      notices.push(`${ledger.chain.undoneWitnesses} recorded heads belong to seals that the restore has undone`);
    }
    const fromGateways = new Findings();
    const asked = ask ? await queryAll(target, { database, findings: fromGateways }) : null;
    if ((ledger.unsealed.oldestSeconds ?? 0) > TAIL_SECONDS_MAX) {
      notices.push(
        `the unsealed tail is older than ${TAIL_SECONDS_MAX} s: check that a worker and the workflow ${LOOP_IDS.sealLedger} are running`,
      );
    }
    const all = { findingCount: findingCount + fromGateways.count, findings: [...findings, ...fromGateways.listed] };
    const { head, seals, sealedTransactions } = ledger.chain;
    await database
      .withSystem((em) =>
        recordVerification(em, {
          ...all,
          lastSealId: seals === 0n ? null : head.sealId,
          sealedTransactions,
          witnesses: witnesses?.length ?? null,
          queriedCharges: asked,
        }),
      )
      .catch(() => {
        notices.push('the result could not be recorded for the dashboard: the database took no row');
      });
    return {
      ok: all.findingCount === 0,
      ...all,
      ...ledger,
      notices,
      witnesses: witnesses?.length ?? null,
      heads: headFiles.length === 0 ? null : heads.length,
      asked,
    };
  } finally {
    await database.close();
  }
}

/**
 * Returns null if there is no Temporal to ask. That is a notice, not a finding: without witnesses the chain is still verified, except for its end.
 */
async function gatherWitnesses(
  { temporal }: VerifyTarget,
  { all, notices }: { all: boolean; notices: string[] },
): Promise<Witness[] | null> {
  if (temporal === null) {
    notices.push('no TEMPORAL_ADDRESS: the chain is not compared with what the sealer recorded');
    return null;
  }
  try {
    return await sealingWitnesses({ ...temporal, all });
  } catch {
    notices.push(
      `Temporal at ${temporal.address} did not answer: the chain is not compared with what the sealer recorded`,
    );
    return null;
  }
}

async function queryAll(
  { environment }: VerifyTarget,
  { database, findings }: { database: Database; findings: Findings },
): Promise<number> {
  const http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  try {
    const config = readConfig(environment());
    const secrets = createSecretBox(config.masterKey);
    const bkashTokens = new GatewayTokens({ transaction: database.withSystem, secrets });
    const bkashExecutions = new GatewayExecutions(database, BKASH_CAPABILITIES.name);
    const gateways = createGatewayRegistry({
      config,
      http,
      secrets,
      bkashTokens,
      bkashExecutions,
      readManual: manualRecords(database),
    });
    return await queryGateways({ database, gateways, findings });
  } finally {
    await http.close();
  }
}
