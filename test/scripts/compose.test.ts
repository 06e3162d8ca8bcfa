import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { lastWords, startChild, type Child } from '../../scripts/shared/child.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { readConfig } from '../../runtime/config.ts';
import { TEMPORAL_VARIABLES } from '../../runtime/temporal-server.ts';
import { untilAnswering, untilLogged } from '../../scripts/development/readiness.ts';
import { runtimeLoginVariables } from '../../scripts/shared/runtime-logins.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { sessionsOf, waysOut } from '../support/logins.ts';
import { createTestNamespace } from '../support/temporal.ts';
import { testServers } from '../support/test-servers.ts';
import { until } from '../support/until.ts';
import { WORKER_FLAGS } from '../../scripts/shared/worker-flags.ts';
import { COMPOSE_TEXT, rawComposeFile, readComposeFile, variablesOf } from './compose-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECRETS = [
  'LENDEN_DATABASE_PASSWORD',
  'LENDEN_APP_PASSWORD',
  'LENDEN_OPERATOR_PASSWORD',
  'LENDEN_SYSTEM_PASSWORD',
  'TEMPORAL_DATABASE_PASSWORD',
  'LENDEN_MASTER_KEY',
] as const;

/** Everything that a user must put into `.env`. */
const REQUIRED = {
  LENDEN_DATABASE_PASSWORD: 'ownerpassword',
  LENDEN_APP_PASSWORD: 'apppassword',
  LENDEN_OPERATOR_PASSWORD: 'operatorpassword',
  LENDEN_SYSTEM_PASSWORD: 'systempassword',
  TEMPORAL_DATABASE_PASSWORD: 'temporalpassword',
  LENDEN_MASTER_KEY: `key1:${randomBytes(32).toString('base64')}`,
  LENDEN_API_URL: 'https://pay.example',
  LENDEN_WEB_URL: 'https://checkout.example',
};

describe('docker-compose.yml', () => {
  test('is valid against the schema of the Compose Specification', () => {
    // Otherwise `docker compose` would reject the file, and nobody would notice on a machine without Docker.
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'compose-spec/schema.json'), 'utf8')) as object;
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile({
      ...schema,
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
    expect([validate(rawComposeFile()), validate.errors]).toEqual([true, null]);
    expect(validate({ services: { api: { imagee: 'x' } } })).toBe(false);
  });

  test.each(Object.keys(REQUIRED))('does not start without %s', (name) => {
    // Otherwise a deployment would run with a default secret.
    const { [name]: _, ...rest } = REQUIRED as Record<string, string>;
    expect(() => readComposeFile(rest)).toThrow(name);
  });

  test('holds no secret, publishes only on the loopback and runs no simulator', () => {
    // Otherwise a deployment would publish internal services or secrets, or a simulated gateway could confirm payments in production.
    const { services } = readComposeFile(REQUIRED);
    for (const secret of SECRETS) {
      expect(COMPOSE_TEXT).not.toMatch(new RegExp(`\\$\\{${secret}(:-|\\})`));
    }
    for (const service of Object.values(services)) {
      expect(service.ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    }
    expect(COMPOSE_TEXT.toLowerCase()).not.toMatch(/services:[^]*simulator/);
    expect(services['api']?.environment['LENDEN_OUTBOUND_ALLOW']).toBe('');
    expect(services['api']?.environment['LENDEN_ENV']).toBe('production');
  });

  test('starts the worker with the flags under which its memory was measured', () => {
    // Without them garbage doubles the worker's memory, and a container with a limit would be killed.
    const { services } = readComposeFile(REQUIRED);
    expect(services['worker']?.command).toEqual(['node', ...WORKER_FLAGS, 'worker/main.ts']);
  });

  test('waits for what each service needs, and checks the health of everything that stays', () => {
    // Otherwise a process would start on a database without its schema, or in a namespace without its search attributes.
    const { services, configs } = readComposeFile(REQUIRED);
    for (const [name, service] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(service.depends_on)) {
        const needed = services[other];
        expect([name, other, needed === undefined]).toEqual([name, other, false]);
        expect([other, condition]).toEqual([
          other,
          needed?.healthcheck ? 'service_healthy' : 'service_completed_successfully',
        ]);
      }
      expect(service.configs.filter(({ source }) => configs[source] === undefined)).toEqual([]);
    }
    const lasting = ['postgres', 'temporal', 'api', 'worker'];
    expect(lasting.filter((name) => services[name]?.healthcheck === undefined)).toEqual([]);
    expect(Object.keys(services['api']?.depends_on ?? {}).sort()).toEqual(['migrate', 'temporal-namespace']);
  });

  test('gives each process the logins that it runs as, and the owner to none that stays', () => {
    // Otherwise an attacker who takes over a process would get the rights of the owner or of another process.
    const { services } = readComposeFile(REQUIRED);
    const held = (name: string): string[] =>
      Object.keys(services[name]?.environment ?? {}).filter((variable) => variable.startsWith('DATABASE_'));
    expect(held('api').sort()).toEqual(['DATABASE_APP_URL', 'DATABASE_OPERATOR_URL']);
    expect(held('worker').sort()).toEqual(['DATABASE_APP_URL', 'DATABASE_SYSTEM_URL']);
    const owners = Object.entries(services).filter(([, { environment }]) =>
      Object.values(environment).some((value) => value.includes(REQUIRED.LENDEN_DATABASE_PASSWORD)),
    );
    expect(owners.map(([name]) => name).sort()).toEqual(['migrate', 'postgres']);
  });

  test('asks for nothing that .env.example does not explain', () => {
    // Otherwise a user could not learn from .env.example what to fill in.
    const explained = readFileSync(join(ROOT, '.env.example'), 'utf8');
    const versions = new Set(['LENDEN_IMAGE', 'TEMPORAL_VERSION', 'TEMPORAL_UI_VERSION']);
    const missing = [...variablesOf(COMPOSE_TEXT)].filter(
      (name) => !versions.has(name) && !new RegExp(`^${name}=`, 'm').test(explained),
    );
    expect(missing).toEqual([]);
  });

  test('asks for nothing twice: each variable stands once in .env.example, and compose reads it', () => {
    // If a name is there twice, the empty line may win. A setting that compose does not read would be filled in without effect.
    const names = [...readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^([A-Z_]+)=/gm)].map(
      ([, name]) => name,
    );
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const asked = variablesOf(COMPOSE_TEXT);
    expect(names.filter((name) => !asked.has(name ?? ''))).toEqual([]);
  });

  test('hands every variable that a process reads to every process', () => {
    // A setting from docs/operating.md that compose does not pass on would silently have no effect in a deployment.
    const read = new Set<string>();
    const recording = new Proxy(
      {},
      {
        get: (_target, name) => {
          read.add(String(name));
          return undefined;
        },
      },
    );
    expect(() => readConfig(recording)).toThrow();
    const telemetry = ['ENDPOINT', 'HEADERS'].map((name) => `OTEL_EXPORTER_OTLP_${name}`);
    const known = [...read, ...telemetry, 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_METRIC_EXPORT_INTERVAL'].filter((name) =>
      /^[A-Z]/.test(name),
    );
    expect(known.length).toBeGreaterThan(50);
    const { services } = readComposeFile(REQUIRED);
    for (const name of ['api', 'worker'] as const) {
      const given = services[name]?.environment ?? {};
      expect([name, known.filter((variable) => given[variable] === undefined)]).toEqual([name, []]);
    }
    const temporal = services['temporal-namespace']?.environment ?? {};
    expect(TEMPORAL_VARIABLES.filter((variable) => temporal[variable] === undefined)).toEqual([]);
  });

  test('runs only programs that exist, in shells that can read them', () => {
    // Otherwise a renamed file would leave the deployment with a container that cannot start.
    const { services, configs } = readComposeFile(REQUIRED);
    const commands = Object.values(services).flatMap(({ command, healthcheck }) => [
      command,
      healthcheck?.test.slice(1),
    ]);
    const files = commands.flatMap((command) => command?.filter((word) => word.endsWith('.ts')) ?? []);
    expect(files.length).toBeGreaterThanOrEqual(5);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    for (const name of ['temporal-role', 'temporal-schema']) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: configs[name]?.content ?? '(', encoding: 'utf8' });
      expect([name, status, stderr]).toEqual([name, 0, '']);
    }
  });
});

/** Copies the files that .dockerignore lets into the image, and links the packages next to them. */
function layOutImage(directory: string): string {
  const image = join(directory, 'app');
  const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').matchAll(/^!(.+?)\/?$/gm);
  for (const [, path = ''] of allowed) {
    cpSync(join(ROOT, path), join(image, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(image, 'node_modules'));
  return image;
}

describe('the production processes, with exactly the variables of docker-compose.yml', () => {
  let directory: string;
  let image: string;
  let database: TestDatabase;
  const children: Child[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lenden-production-'));
    image = layOutImage(directory);
    database = await createEmptyDatabase();
  });

  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop()));
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Starts one service's command. Only the addresses are replaced by those of this machine. */
  async function startService(name: string, here: Readonly<Record<string, string>>): Promise<Child> {
    const service = readComposeFile(REQUIRED).services[name];
    const [program, ...args] = service?.command ?? [];
    if (service === undefined || program !== 'node') {
      throw new Error(`${name} does not run node`);
    }
    const known = Object.entries(here).filter(([variable]) => service.environment[variable] !== undefined);
    const child = await startChild({
      name,
      command: process.execPath,
      args,
      env: {
        PATH: process.env['PATH'],
        LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
        ...service.environment,
        ...Object.fromEntries(known),
      },
      cwd: image,
      logFile: join(directory, `${name}.log`),
      stopSignal: 'SIGTERM',
      graceMs: 20_000,
      lifeline: 'watcher',
    });
    children.push(child);
    return child;
  }

  test('migrate, prepare Temporal, and become ready', async () => {
    // Otherwise a setting that exists only in development would be missing in production.
    const ports = { api: await findFreePort([]), web: await findFreePort([]) };
    const bundle = join(directory, 'workflow-bundle.js');
    const here = {
      DATABASE_URL: database.url,
      ...runtimeLoginVariables(database.url),
      TEMPORAL_ADDRESS: testServers().temporalAddress,
      TEMPORAL_NAMESPACE: `production-${randomBytes(6).toString('hex')}`,
      LENDEN_API_PORT: String(ports.api),
      LENDEN_WEB_PORT: String(ports.web),
      LENDEN_HOST: '127.0.0.1',
      LENDEN_WORKFLOW_BUNDLE: bundle,
    };
    const bundling = spawnSync(process.execPath, ['worker/build-bundle.ts', bundle], { cwd: image, encoding: 'utf8' });
    expect([bundling.status, existsSync(bundle)]).toEqual([0, true]);
    for (const job of ['migrate', 'temporal-namespace']) {
      const child = await startService(job, here);
      const ending = await child.exited;
      expect([job, ending, ending === 'exit code 0' ? '' : lastWords(child)]).toEqual([job, 'exit code 0', '']);
    }
    const readiness = { timeoutMs: 60_000, stopped: new AbortController().signal };
    await untilLogged(await startService('worker', here), { text: 'worker ready', ...readiness });
    const url = `http://127.0.0.1:${ports.api}/ready`;
    await untilAnswering(await startService('api', here), { url, ...readiness });
    // An idle pool closes its connections. The sweeper opens the worker's again.
    await until(async () => (await sessionsOf(database.url)).some(({ login }) => login === 'lenden_system'));
    const sessions = await sessionsOf(database.url);
    expect(sessions.map(({ login, name }) => [login, name])).toEqual(
      sessions.map(({ login }) => [login, `lenden ${login}`]),
    );
    expect(await waysOut(database.url)).toEqual([]);
    const health = spawnSync(process.execPath, ['scripts/commands/check-worker.ts'], {
      cwd: image,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...here },
    });
    expect([health.status, health.stderr]).toEqual([0, '']);
  });

  /** Runs a command as `docker compose run --rm migrate node …` does: in the image, with the migration's variables. */
  function command(args: readonly string[], input = ''): { code: number | null; output: string } {
    const { services } = readComposeFile(REQUIRED);
    const env = {
      PATH: process.env['PATH'],
      ...services['migrate']?.environment,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: testServers().temporalAddress,
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: image, encoding: 'utf8', env, input });
    return { code: status, output: stdout + stderr };
  }

  test('serve the commands of docs/operating.md inside the containers', () => {
    // A deployment has no development stack, so the first operator and application could not be created.
    const operator = ['--email', 'first@shop.example', '--name', 'First'];
    const made = command(['scripts/commands/operator.ts', 'create', ...operator], 'a long enough phrase for 2026\n');
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('Super Admin') });
    const app = command([
      'scripts/commands/app.ts',
      'create',
      '--name',
      'Storefront',
      '--webhook-url',
      'https://shop.example/w',
    ]);
    expect(app).toMatchObject({ code: 0, output: expect.stringContaining('oi_live_') });
    expect(command(['scripts/commands/secrets.ts', 'status'])).toMatchObject({ code: 0 });
    expect(command(['scripts/commands/verify.ts'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('No findings'),
    });
  });

  test('refuse to make secrets under a key that nobody was told', () => {
    // Otherwise a deployment without LENDEN_MASTER_KEY would seal its secrets with a key of the developer's stack.
    const { status, stderr } = spawnSync(
      process.execPath,
      ['scripts/commands/app.ts', 'create', '--name', 'Storefront'],
      {
        cwd: image,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
      },
    );
    expect([status, stderr]).toEqual([1, expect.stringContaining('Set LENDEN_MASTER_KEY together with DATABASE_URL')]);
  });

  test('a worker that polls nothing counts as unhealthy', async () => {
    // The health check must be able to fail.
    const health = spawnSync(process.execPath, ['scripts/commands/check-worker.ts'], {
      cwd: image,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        TEMPORAL_ADDRESS: testServers().temporalAddress,
        TEMPORAL_NAMESPACE: await createTestNamespace(),
      },
    });
    expect(health.stderr).toMatch(/no worker on .* polls lenden-payments/);
    expect(health.status).toBe(1);
  });
});
