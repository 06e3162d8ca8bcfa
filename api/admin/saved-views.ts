import { z } from 'zod';
import {
  changeSavedView,
  deleteSavedView,
  insertSavedView,
  listSavedViews,
  SAVED_VIEWS_MAX,
} from '../../core/operators/store/saved-views.ts';
import type { SavedView as SavedViewRow } from '../../database/entities/saved-view.ts';
import { MODES } from '../../domain/mode.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { freeText, IdParams } from '../http/fields.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Saved views';
const QUERY_MAX = 2_000;

const Name = freeText(60);
const Query = z
  .string('must be text')
  .max(QUERY_MAX, `must be at most ${QUERY_MAX} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be the query of an address, without its question mark')
  .describe('The query of the page’s address, such as `status=FAILED&from=2026-06-01`. It is stored as it is.');

export const SavedView = z
  .object({
    id: z.int(),
    page: z.string(),
    mode: z.enum(MODES),
    name: z.string(),
    query: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'SavedView' });

export const CreateSavedView = z
  .object({
    page: z
      .string('must be text')
      .regex(/^[a-z]+(-[a-z]+)*$/, 'is not the name of a page')
      .max(40, 'must be at most 40 characters')
      .describe('The page of the dashboard as its address has it, such as `payments`.'),
    mode: z.enum(MODES, 'must be TEST or LIVE'),
    name: Name,
    query: Query,
  })
  .meta({ id: 'CreateSavedView' });

export const ChangeSavedView = z
  .object({ name: Name.optional(), query: Query.optional() })
  .refine(({ name, query }) => name !== undefined || query !== undefined, 'must change something')
  .meta({ id: 'ChangeSavedView', minProperties: 1 });

/** Returns the routes by which operators keep views of the dashboard’s lists. Each operator has their own and sees no others. */
export function savedViewRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), create(deps), change(deps), remove(deps)];
}

function list({ database }: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/views',
    operationId: 'listSavedViews',
    tag: TAG,
    summary: 'List your saved views of the dashboard’s lists',
    description: `At most ${SAVED_VIEWS_MAX}, of all pages and both modes, the oldest first.`,
    permission: 'any-permission',
    response: { status: 200, schema: z.array(SavedView) },
    errors: [],
    handler: async ({ caller }) => {
      const views = await database.withOperator([], (em) => listSavedViews(em, caller.operator.id));
      return { status: 200, data: views.map(view) };
    },
  });
}

function create({ database }: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/views',
    operationId: 'createSavedView',
    tag: TAG,
    summary: 'Save a view',
    permission: 'any-permission',
    body: CreateSavedView,
    response: { status: 201, schema: SavedView },
    errors: ['RESOURCE_ALREADY_EXISTS', 'INVALID_OPERATION_STATE'],
    links: {
      updateSavedView: { operationId: 'updateSavedView', parameters: { id: '$response.body#/data/id' } },
      deleteSavedView: { operationId: 'deleteSavedView', parameters: { id: '$response.body#/data/id' } },
    },
    handler: async ({ caller, body }) => {
      const saved = await database.withOperator([], (em) => insertSavedView(em, caller.operator.id, body));
      return { status: 201, data: view(saved), message: 'Resource created' };
    },
  });
}

function change({ database }: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PATCH',
    path: '/admin/views/{id}',
    operationId: 'updateSavedView',
    tag: TAG,
    summary: 'Rename a saved view, or change what it shows',
    permission: 'any-permission',
    params: IdParams,
    body: ChangeSavedView,
    response: { status: 200, schema: SavedView },
    errors: ['RESOURCE_NOT_FOUND', 'RESOURCE_ALREADY_EXISTS'],
    handler: async ({ caller, params, body }) => {
      const own = { operatorId: caller.operator.id, id: params.id };
      return { status: 200, data: view(await database.withOperator([], (em) => changeSavedView(em, own, body))) };
    },
  });
}

function remove({ database }: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/views/{id}',
    operationId: 'deleteSavedView',
    tag: TAG,
    summary: 'Delete a saved view',
    permission: 'any-permission',
    params: IdParams,
    response: { status: 200, schema: z.null() },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      await database.withOperator([], (em) => deleteSavedView(em, { operatorId: caller.operator.id, id: params.id }));
      return { status: 200, data: null };
    },
  });
}

function view({ id, page, mode, name, query, createdAt, updatedAt }: SavedViewRow) {
  return {
    id: toJsonInteger(id),
    page,
    mode,
    name,
    query,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
