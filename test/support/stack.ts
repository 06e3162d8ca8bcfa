import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { startStack } from '../../scripts/development/stack.ts';
import { createTestDatabase } from './database.ts';
import { createTestNamespace } from './temporal.ts';
import { testServers } from './test-servers.ts';

/** The real api, worker and simulators as separate processes, for one test file. */
export interface TestStack {
  readonly dev: DevFile;
  /** The directory of the stack's files: `logs/api.log`, `simulators/`, `processes.json`. */
  readonly directory: string;
  stop(): Promise<void>;
}

/**
 * Starts what `npm start` starts, on free ports, with a new database and namespace on the servers of `npm test`. Takes
 * a few seconds, so call it once per test file, in `beforeAll`.
 */
export async function startTestStack(environment: Readonly<Record<string, string>> = {}): Promise<TestStack> {
  const directory = mkdtempSync(join(tmpdir(), 'lenden-stack-'));
  const [database, namespace] = await Promise.all([createTestDatabase(), createTestNamespace()]);
  const remove = async () => {
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  };
  const said: string[] = [];
  try {
    const stack = await startStack({
      directory,
      ports: 'free',
      environment: {
        ...process.env,
        ...environment,
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: testServers().temporalAddress,
        TEMPORAL_NAMESPACE: namespace,
      },
      say: (line) => said.push(line),
    });
    return {
      dev: stack.dev,
      directory,
      async stop() {
        await stack.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
