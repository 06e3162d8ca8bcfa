import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { connectionOptionsOf, type TemporalServer } from '../../runtime/temporal-server.ts';
import { errorCode } from './error-code.ts';

/** The attributes by which operators search in the Temporal UI. */
export const SEARCH_ATTRIBUTES = {
  LendenApp: 'Keyword',
  LendenMode: 'Keyword',
  LendenReference: 'Keyword',
  LendenGateway: 'Keyword',
  LendenAmountMinor: 'Int',
  LendenStatus: 'Keyword',
  LendenWaitsFor: 'Keyword',
} as const;

/** The numbers of `IndexedValueType` in Temporal's public API. */
const TYPE_NUMBERS = { Keyword: 2, Int: 3 } as const;

/** How long a closed workflow can be read. */
export const RETENTION_DAYS = 90;
const RETENTION_MS = RETENTION_DAYS * 86_400_000;

const GRPC_NOT_FOUND = 5;
const GRPC_ALREADY_EXISTS = 6;
const VISIBLE_TIMEOUT_MS = 30_000;

/**
 * Gives a namespace what Lenden needs: the namespace itself, 90 days of retention and the search attributes. It changes only what is missing, so it
 * can run before every start and on the user's own server.
 * @throws when the server cannot be reached or does not permit creating the search attributes
 */
export async function prepareNamespace({ namespace, ...server }: TemporalServer): Promise<void> {
  const connection = await Connection.connect({ ...connectionOptionsOf(server), connectTimeout: '10s' });
  try {
    await ensureNamespace(connection, namespace);
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}

/** Returns in words what a namespace lacks; empty if it is prepared. Changes nothing. */
export async function lackOf(connection: Connection, namespace: string): Promise<string[]> {
  const found = await connection.workflowService.describeNamespace({ namespace }).catch(ignoring(GRPC_NOT_FOUND));
  if (found === undefined) {
    return [`the namespace ${namespace}`];
  }
  const missing = await missingAttributes(connection, namespace);
  return Object.keys(missing).map((name) => `the search attribute ${name}`);
}

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const workflowExecutionRetentionTtl = msToTs(RETENTION_MS);
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1000 !== RETENTION_MS) {
      await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
    }
  } catch (error) {
    if (errorCode(error) !== GRPC_NOT_FOUND) {
      throw error;
    }
    const description = 'Lenden: one workflow per payment, refund, invoice and webhook delivery';
    await connection.workflowService
      .registerNamespace({ namespace, description, workflowExecutionRetentionPeriod: workflowExecutionRetentionTtl })
      .catch(ignoring(GRPC_ALREADY_EXISTS));
  }
}

/** Creates the missing attributes and waits, because new namespaces and attributes reach the server's own caches with a delay. */
async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const deadline = Date.now() + VISIBLE_TIMEOUT_MS;
  for (;;) {
    const missing = await missingAttributes(connection, namespace).catch(ignoring(GRPC_NOT_FOUND));
    if (missing !== undefined && Object.keys(missing).length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`Temporal's namespace ${namespace} did not accept the search attributes within 30 s.`);
    }
    if (missing !== undefined) {
      await connection.operatorService
        .addSearchAttributes({ namespace, searchAttributes: missing })
        .catch(ignoring(GRPC_ALREADY_EXISTS, GRPC_NOT_FOUND));
    }
    await sleep(50);
  }
}

async function missingAttributes(connection: Connection, namespace: string) {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => customAttributes?.[name] === undefined);
  return Object.fromEntries(missing.map(([name, type]) => [name, TYPE_NUMBERS[type]]));
}

function ignoring(...codes: number[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.some((code) => code === errorCode(error))) {
      throw error;
    }
  };
}
