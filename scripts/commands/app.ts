import '../shared/lifeline.ts';
import { parseArgs } from 'node:util';
import { openDatabase, type EntityManager } from '../../database/connection.ts';
import {
  changeApplication,
  insertApplication,
  prepareRegistration,
  type ApplicationSettings,
} from '../../core/applications/store/applications.ts';
import {
  GRACE_HOURS_DEFAULT,
  listCredentials,
  prepareCredential,
  revokeCredential,
  storeCredential,
  storeRotation,
} from '../../core/applications/store/credentials.ts';
import { recordAudit, type Actor, type AuditFacts } from '../../core/operators/store/audit.ts';
import { checkOutboundUrl, OUTBOUND_URL_REFUSALS, parseAllowList, type AllowList } from '../../domain/outbound-url.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { OPTIONS, readCommand, UsageError, USAGE, type AppCommand } from './app-command.ts';
import { errorCode } from '../shared/error-code.ts';
import { findRunningStack } from '../development/dev-file.ts';
import { DEVELOPMENT_ALLOW, masterKeyOf } from '../development/development-secrets.ts';

/** The audit log's actor. There is no login, because anyone who can run this command already has access to the database. */
const ACTOR: Actor = { type: 'SYSTEM', id: null, name: 'npm run app' };

process.exitCode = await main();

/** Implements `npm run app`, which registers and changes applications until the admin API is used instead. */
async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const outcome = await carryOut(readCommand({ values, positionals }), values.directory);
    console.log(values.json ? JSON.stringify(outcome, plain) : inWords(outcome));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof UsageError || isArgumentError(error)) {
      console.error(`\n${USAGE}`);
      return 2;
    }
    return 1;
  }
}

type Outcome = Readonly<Record<string, unknown>>;

async function carryOut(command: AppCommand, directory: string): Promise<Outcome> {
  const { databaseUrl, masterKey, allow } = await findTarget(directory);
  checkWebhookUrls(command, parseAllowList(allow));
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  try {
    switch (command.action) {
      case 'create': {
        const prepared = await prepareRegistration();
        const { settings } = command;
        const secrets = createSecretBox(masterKey);
        const { applicationId, ...rest } = await database.withSystem(async (em) => {
          const made = await insertApplication(em, secrets, { prepared, settings });
          await note(em, made.applicationId, { action: 'application.registered', after: factsOf(settings) });
          return made;
        });
        return { id: Number(applicationId), ...rest };
      }
      case 'set': {
        const { id: applicationId, settings } = command;
        await database.withSystem(async (em) => {
          await changeApplication(em, { ...settings, applicationId });
          await note(em, applicationId, { action: 'application.settings-changed', after: factsOf(settings) });
        });
        return { id: Number(applicationId), changed: Object.keys(settings) };
      }
      case 'keys': {
        const keys = await database.withSystem((em) => listCredentials(em, command.id));
        return Object.fromEntries(keys.map(({ id, ...key }) => [id.toString(), key]));
      }
      case 'issue': {
        const prepared = await prepareCredential(command.key);
        const issued = await database.withSystem(async (em) => {
          const stored = await storeCredential(em, command.id, prepared);
          const { credentialId, mode } = stored;
          await note(em, command.id, { action: 'credential.issued', after: { credentialId, mode } });
          return stored;
        });
        return { id: Number(command.id), ...issued };
      }
      case 'revoke': {
        const { id: applicationId, credentialId } = command;
        await database.withSystem(async (em) => {
          if ((await revokeCredential(em, { applicationId, credentialId })) === null) {
            throw new UsageError(`The application has no key ${credentialId}.`);
          }
          await note(em, applicationId, { action: 'credential.revoked', after: { credentialId } });
        });
        return { id: Number(applicationId), revoked: Number(credentialId) };
      }
      case 'rotate': {
        const { id: applicationId, key } = command;
        const { graceHours = GRACE_HOURS_DEFAULT } = command.graceHours;
        const prepared = await prepareCredential(key);
        const rotation = await database.withSystem(async (em) => {
          const stored = await storeRotation(em, { applicationId, prepared, graceHours });
          const { credentialId, mode, previousKeyExpiresAt } = stored;
          const after = { credentialId, mode, previousKeyExpiresAt };
          await note(em, applicationId, { action: 'credential.rotated', after });
          return stored;
        });
        return { id: Number(applicationId), ...rotation };
      }
    }
  } finally {
    await database.close();
  }
}

/**
 * Records every change in the audit log. The command needs no approval by a second person, because anyone who can run it has access to the database.
 */
function note(
  em: EntityManager,
  applicationId: bigint,
  { action, after }: { readonly action: string; readonly after: AuditFacts },
): Promise<void> {
  const target = { type: 'application', id: applicationId };
  return recordAudit(em, { actor: ACTOR, action, target, application: { id: applicationId }, after });
}

function factsOf({ customerDefaults, ...settings }: ApplicationSettings): AuditFacts {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    ...(customerDefaults === undefined ? {} : { customerDefaults: Object.keys(customerDefaults) }),
  };
}

interface Target {
  readonly databaseUrl: string;
  readonly masterKey: string;
  /** The non-public hosts to which webhooks may be sent. */
  readonly allow: string;
}

/** Returns the database named in the environment, as in a deployment, else that of the running stack. */
async function findTarget(directory: string): Promise<Target> {
  const given = process.env['DATABASE_URL'];
  const databaseUrl = given || (await findRunningStack(directory))?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new Error('No database: run npm start first, or set DATABASE_URL and LENDEN_MASTER_KEY.');
  }
  return {
    databaseUrl,
    masterKey: masterKeyOf(process.env, directory),
    allow: process.env['LENDEN_OUTBOUND_ALLOW'] ?? (given ? '' : DEVELOPMENT_ALLOW),
  };
}

/** Reports an invalid address early. Every delivery checks the address again when it connects. */
function checkWebhookUrls(command: AppCommand, allow: AllowList): void {
  const { webhookUrl, testWebhookUrl } = 'settings' in command ? command.settings : {};
  for (const [flag, url] of [
    ['webhook-url', webhookUrl],
    ['test-webhook-url', testWebhookUrl],
  ] as const) {
    const checked = typeof url === 'string' ? checkOutboundUrl(url, allow) : null;
    if (checked !== null && !checked.ok) {
      throw new UsageError(`--${flag} ${OUTBOUND_URL_REFUSALS[checked.reason]}.`);
    }
  }
}

/** Turns bigints into numbers. Row numbers are small enough. */
function plain(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function inWords(outcome: Outcome): string {
  const lines = Object.entries(flat(outcome)).map(([name, value]) => `${name.padEnd(22)} ${value}`);
  const secret = lines.some((line) => line.includes('apiKey'));
  return [...lines, ...(secret ? ['', 'Secrets are shown only once. Store them now.'] : [])].join('\n');
}

function flat(value: Outcome, prefix = ''): Record<string, string> {
  const entries = Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null && !(inner instanceof Date) && !Array.isArray(inner)
      ? Object.entries(flat({ ...inner }, `${prefix}${name}.`))
      : [[`${prefix}${name}`, inner instanceof Date ? inner.toISOString() : String(inner)] as const],
  );
  return Object.fromEntries(entries);
}

/** Returns whether Node itself rejected the command line: an unknown flag, or a flag without its value. */
function isArgumentError(error: unknown): boolean {
  return String(errorCode(error)).startsWith('ERR_PARSE_ARGS');
}
