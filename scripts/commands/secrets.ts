import '../shared/lifeline.ts';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openDatabase, type Database } from '../../database/connection.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { countSealed, resealAll, type SealedCount } from '../../core/maintenance/store/sealed-secrets.ts';
import { createSecretBox, type SecretBox } from '../../runtime/secrets.ts';
import { findRunningStack } from '../development/dev-file.ts';
import { errorCode } from '../shared/error-code.ts';
import { masterKeyOf } from '../development/development-secrets.ts';

const USAGE = `npm run secrets -- [status | rotate | new-key]

  status    count the stored secrets by the key of LENDEN_MASTER_KEY that encrypts them; exit 1 if a key is not listed, or is not
            the one that encrypted them
  rotate    re-encrypt every secret with the first key of LENDEN_MASTER_KEY; can be interrupted and run again
  new-key   print a new key to put first: LENDEN_MASTER_KEY=<new key>,<former key>

To change the master key: run new-key; start API and worker with both keys; run rotate, then status; start them with the new key alone.

  --directory D   the data directory of a running stack (default .lenden)
  --json          print JSON`;

const OPTIONS = {
  directory: { type: 'string', default: '.lenden' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

process.exitCode = await main();

/** Implements `npm run secrets`, which lists what is encrypted with the master key and changes to another key. */
async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const [action = 'status', ...rest] = positionals;
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    if (rest.length > 0 || !['status', 'rotate', 'new-key'].includes(action)) {
      console.error(USAGE);
      return 2;
    }
    if (action === 'new-key') {
      console.log(
        `k${new Date().toISOString().slice(0, 10).replaceAll('-', '')}:${randomBytes(32).toString('base64')}`,
      );
      return 0;
    }
    return await onDatabase(values.directory, async (database, secrets, keyIds) => {
      const changed = action === 'rotate' ? await rotate(database, secrets) : null;
      const sealed = await countSealed(database);
      const counts = sealed.map(({ example, ...count }) => ({ ...count, opens: secrets.fits(example) }));
      const unknown = counts.filter(({ keyId }) => !keyIds.includes(keyId));
      const outcome = { keyId: secrets.keyId, changed, counts };
      console.log(values.json ? JSON.stringify(outcome) : inWords(outcome, { keyIds, unknown }));
      return counts.every(({ opens }) => opens) ? 0 : 1;
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return String(errorCode(error)).startsWith('ERR_PARSE_ARGS') ? 2 : 1;
  }
}

async function onDatabase<T>(
  directory: string,
  work: (database: Database, secrets: SecretBox, keyIds: readonly string[]) => Promise<T>,
): Promise<T> {
  const databaseUrl = process.env['DATABASE_URL'] || (await findRunningStack(directory))?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new Error('No database: run npm start first, or set DATABASE_URL and LENDEN_MASTER_KEY.');
  }
  const masterKey = masterKeyOf(process.env, directory);
  const secrets = createSecretBox(masterKey);
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  try {
    const keyIds = masterKey.split(',').map((key) => key.trim().split(':')[0] ?? '');
    return await work(database, secrets, keyIds);
  } finally {
    await database.close();
  }
}

async function rotate(database: Database, secrets: SecretBox): Promise<number> {
  const changed = await resealAll(database, secrets);
  await database.withOperator('every-app', (em) =>
    recordAudit(em, {
      actor: { type: 'SYSTEM', id: null, name: 'npm run secrets' },
      action: 'master-key.rotated',
      target: { type: 'master-key', id: secrets.keyId },
      after: { secrets: changed },
    }),
  );
  return changed;
}

type OpenedCount = Omit<SealedCount, 'example'> & { readonly opens: boolean };

interface Outcome {
  readonly keyId: string;
  /** How many secrets a rotation has encrypted with the first key; null if no rotation ran. */
  readonly changed: number | null;
  readonly counts: readonly OpenedCount[];
}

function inWords(
  { keyId, changed, counts }: Outcome,
  { keyIds, unknown }: { keyIds: readonly string[]; unknown: readonly OpenedCount[] },
): string {
  const former = keyIds.filter((id) => id !== keyId && !counts.some((count) => count.keyId === id));
  return [
    ...(changed === null ? [] : [`${changed} secrets were re-encrypted with the key "${keyId}".`]),
    ...counts.map(({ what, keyId: id, secrets }) => `${String(secrets).padStart(6)} ${what.padEnd(24)} under "${id}"`),
    ...unknown.map(
      ({ what, keyId: id }) => `LENDEN_MASTER_KEY does not list "${id}": its ${what} cannot be decrypted.`,
    ),
    ...counts
      .filter((count) => !count.opens && !unknown.includes(count))
      .map(
        ({ what, keyId: id }) =>
          `LENDEN_MASTER_KEY lists a different key as "${id}" than the one that encrypted the ${what}: they cannot be decrypted.`,
      ),
    ...former.map((id) => `No secret uses "${id}" any more: you can remove it.`),
  ].join('\n');
}
