import type { EntityManager } from '../../../database/connection.ts';
import { SavedView } from '../../../database/entities/saved-view.ts';
import { sqlStateOf } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';

/** Enough for one person. */
export const SAVED_VIEWS_MAX = 100;

/** A list of the dashboard as one operator wants to see it again. */
export interface SavedViewContents {
  readonly page: string;
  readonly mode: Mode;
  readonly name: string;
  /** The query of the page's address. */
  readonly query: string;
}

interface Own {
  readonly operatorId: bigint;
  readonly id: bigint;
}

const LOCK = statement((db, $: Given<{ operatorId: bigint }>) =>
  db.selectFrom('operators').select('id').where('id', '=', $('operatorId')).forUpdate(),
);

const CHANGE = statement((db, $: Given<Own & { name: string | null; query: string | null }>) =>
  db
    .updateTable('saved_views')
    .set((eb) => ({
      name: eb.fn.coalesce(eb.cast<string | null>($('name'), 'text'), 'name'),
      query: eb.fn.coalesce(eb.cast<string | null>($('query'), 'text'), 'query'),
      updatedAt: now,
    }))
    .where('id', '=', $('id'))
    .where('operatorId', '=', $('operatorId'))
    .returning('id'),
);

export function listSavedViews(em: EntityManager, operatorId: bigint): Promise<SavedView[]> {
  return em.find(SavedView, { operatorId }, { orderBy: { id: 'asc' }, limit: SAVED_VIEWS_MAX });
}

/** @throws DomainError RESOURCE_ALREADY_EXISTS for a name that the list has, INVALID_OPERATION_STATE for one too many */
export async function insertSavedView(
  em: EntityManager,
  operatorId: bigint,
  contents: SavedViewContents,
): Promise<SavedView> {
  // Locked, so that nobody has more than the limit by asking twice at once.
  await LOCK.first(em, { operatorId });
  if ((await em.count(SavedView, { operatorId })) >= SAVED_VIEWS_MAX) {
    throw new DomainError('INVALID_OPERATION_STATE', `you have ${SAVED_VIEWS_MAX} views: delete one first`);
  }
  const id = await refusingTakenName(() => em.insert(SavedView, { operatorId, ...contents }));
  return readSavedView(em, { operatorId, id });
}

/** @throws DomainError RESOURCE_NOT_FOUND, also for a view of somebody else, RESOURCE_ALREADY_EXISTS */
export async function changeSavedView(
  em: EntityManager,
  own: Own,
  { name, query }: { readonly name?: string | undefined; readonly query?: string | undefined },
): Promise<SavedView> {
  const changed = await refusingTakenName(() => CHANGE.first(em, { ...own, name: name ?? null, query: query ?? null }));
  if (changed === undefined) {
    throw notFound('view');
  }
  return readSavedView(em, own);
}

/** @throws DomainError RESOURCE_NOT_FOUND, also for a view of somebody else */
export async function deleteSavedView(em: EntityManager, own: Own): Promise<void> {
  if ((await em.nativeDelete(SavedView, { ...own })) === 0) {
    throw notFound('view');
  }
}

async function readSavedView(em: EntityManager, own: Own): Promise<SavedView> {
  const view = await em.findOne(SavedView, { ...own });
  if (view === null) {
    throw notFound('view');
  }
  return view;
}

async function refusingTakenName<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (sqlStateOf(error) === '23505') {
      throw new DomainError('RESOURCE_ALREADY_EXISTS', 'this list has a view with this name');
    }
    throw error;
  }
}
