import type { ParseArgsOptionsConfig } from 'node:util';

export const USAGE = `npm run operator -- create --email ADDRESS --name NAME [--role ROLE] [--app ID] [--temporary]
npm run operator -- list
npm run operator -- disable --email ADDRESS
npm run operator -- enable --email ADDRESS
npm run operator -- reset-password --email ADDRESS [--temporary]
npm run operator -- reset-second-factor --email ADDRESS
npm run operator -- link --email ADDRESS            print the one-time link that sets their password

The command prompts for passwords on the terminal, or reads them from the first line of standard input. It never prints them.
  --role ROLE       Super Admin (default), Admin, Finance, Support, Viewer, or a role of your own
  --app ID          grant the role in this application only
  --temporary       the operator must choose a new password at their first login, within three days
  --directory DIR   the data directory of npm start (default .lenden); DATABASE_URL and LENDEN_WEB_URL in the environment take precedence
  --json            one line of JSON`;

/** The flags in the form that `parseArgs` takes. */
export const OPTIONS = {
  email: { type: 'string' },
  name: { type: 'string' },
  role: { type: 'string' },
  app: { type: 'string' },
  temporary: { type: 'boolean', default: false },
  directory: { type: 'string', default: '.lenden' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

/** The error for a command line that is well-formed but asks for something impossible. Its message is meant for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const ABOUT_ONE = ['disable', 'enable', 'reset-password', 'reset-second-factor', 'link'] as const;

export type OperatorCommand =
  | {
      readonly action: 'create';
      readonly email: string;
      readonly name: string;
      readonly role: string;
      readonly applicationId: bigint | null;
      readonly temporary: boolean;
    }
  | { readonly action: 'list' }
  | { readonly action: (typeof ABOUT_ONE)[number]; readonly email: string; readonly temporary: boolean };

export interface OperatorFlags {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly role?: string | undefined;
  readonly app?: string | undefined;
  readonly temporary?: boolean | undefined;
}

/**
 * Turns parsed flags into one command.
 * @throws UsageError
 */
export function readCommand({
  values,
  positionals,
}: {
  values: OperatorFlags;
  positionals: readonly string[];
}): OperatorCommand {
  const [action, ...rest] = positionals;
  if (rest.length > 0) {
    throw new UsageError(`Unexpected argument "${rest.join(' ')}". Quote values that contain spaces.`);
  }
  const { temporary = false } = values;
  if (action === 'list') {
    return { action };
  }
  if (action === 'create') {
    const { role = 'Super Admin' } = values;
    return {
      action,
      email: readEmail(values),
      name: readName(values),
      role,
      applicationId: readApp(values),
      temporary,
    };
  }
  const found = ABOUT_ONE.find((each) => each === action);
  if (found === undefined) {
    const known = ['create', 'list', ...ABOUT_ONE].join(', ');
    throw new UsageError(action === undefined ? 'Give an action.' : `"${action}" is not one of ${known}.`);
  }
  return { action: found, email: readEmail(values), temporary };
}

function readEmail({ email }: OperatorFlags): string {
  if (email === undefined || !/^[^\s@]{1,64}@[^\s@]{3,189}$/.test(email)) {
    throw new UsageError(email === undefined ? '--email is missing.' : `--email must be an address, not "${email}".`);
  }
  return email.toLowerCase();
}

function readName({ name }: OperatorFlags): string {
  if (name === undefined || name.trim() === '' || name.length > 120) {
    throw new UsageError(name === undefined ? '--name is missing.' : '--name must have 1 to 120 characters.');
  }
  return name.trim();
}

function readApp({ app }: OperatorFlags): bigint | null {
  if (app !== undefined && !/^[1-9]\d{0,17}$/.test(app)) {
    throw new UsageError(`--app must be an application's number, not "${app}".`);
  }
  return app === undefined ? null : BigInt(app);
}
