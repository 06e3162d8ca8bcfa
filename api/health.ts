import type { Client } from '@temporalio/client';
import type { Database } from '../database/connection.ts';
import { DomainError } from '../domain/errors.ts';
import { allowHeader } from './http/methods.ts';
import type { Context } from './http/surface.ts';

const CHECK_MS = 2_000;

export interface HealthDependencies {
  readonly database: Database;
  readonly temporal: Client;
}

/** Answers `GET /health` (the process runs) and `GET /ready` (it can serve requests). Without Temporal it can still serve, and reports that. */
export function createHealth({ database, temporal }: HealthDependencies): (context: Context) => Promise<boolean> {
  return async (context) => {
    if (context.path !== '/health' && context.path !== '/ready') {
      return false;
    }
    context.state.route = context.path;
    if (context.method !== 'GET') {
      context.set('Allow', allowHeader(['GET']));
      throw new DomainError('METHOD_NOT_ALLOWED', 'use GET');
    }
    if (context.path === '/health') {
      context.body = { status: 'ok' };
      return true;
    }
    const [postgres, temporalServer] = await Promise.all([
      answers(() => database.ping()),
      answers(() => temporal.withDeadline(Date.now() + CHECK_MS, () => temporal.workflowService.getSystemInfo({}))),
    ]);
    context.status = postgres ? 200 : 503;
    context.body = { status: postgres ? 'ready' : 'unavailable', postgres, temporal: temporalServer };
    return true;
  };
}

async function answers(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  const asked = check().then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([asked, timeout]);
  clearTimeout(timer);
  return answered;
}
