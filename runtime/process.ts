import type { RuntimeRole } from './database-roles.ts';
import { readConfig, type Config } from './config.ts';
import { failPlainly } from './fail-plainly.ts';
import { createLogger, type Logger } from './logger.ts';
import type { Telemetry } from './telemetry.ts';
import { startTelemetry } from './telemetry/start.ts';

export interface ProcessBasis {
  readonly config: Config;
  readonly log: Logger;
  readonly telemetry: Telemetry;
}

/** Starts what every process has: its settings, its log, its telemetry, and how it reports faults. */
export async function startProcess(service: string, databaseRoles: readonly RuntimeRole[]): Promise<ProcessBasis> {
  failPlainly();
  const config = readConfig(process.env, { databaseRoles });
  const log = createLogger({ service, level: config.logLevel });
  process.on('unhandledRejection', (error) =>
    log.error({ alert: 'unhandled-rejection', error: String(error) }, 'unhandled rejection'),
  );
  return { config, log, telemetry: await startTelemetry({ service, environment: process.env, log }) };
}

/** Logs that a process is ready. Scripts wait for this line, so it is logged at every log level. */
export function sayReady(log: Logger, details: Readonly<Record<string, unknown>>, message: string): void {
  log.child({}, { level: 'info' }).info(details, message);
}
