import { z } from 'zod';
import { actOnCase, type ActionState, secondInCase, withdrawInCase } from '../../core/reconciliation/case-actions.ts';
import { refundInCase } from '../../core/reconciliation/case-refund.ts';
import { assignCase, noteInCase, releaseOwnedCase } from '../../core/reconciliation/cases.ts';
import { readWholeCase } from '../../core/reconciliation/read-case.ts';
import { listCases } from '../../core/reconciliation/store/case-list.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import {
  AssignCase,
  CaseActionBody,
  CaseNote,
  CaseParams,
  CasesQuery,
  DecidedCase,
  ReconciliationCase,
  ReconciliationCaseDetail,
  SecondedAction,
} from './reconciliation-case-schemas.ts';
import { caseView, detailView } from './reconciliation-case-view.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Reconciliation';
const CASES = '/admin/reconciliation/cases';
const ONE = `${CASES}/{reference}`;
const DETAIL = { status: 200, schema: ReconciliationCaseDetail } as const;
const ERRORS = ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'] as const satisfies readonly ErrorCode[];

/** Returns the routes by which operators close differences. No action moves money by itself. */
export function reconciliationCaseRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), read(deps), assign(deps), release(deps), note(deps), act(deps), second(deps), withdraw(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: CASES,
    operationId: 'listReconciliationCases',
    tag: TAG,
    summary: 'List cases',
    permission: 'report:read',
    query: CasesQuery,
    response: { status: 200, schema: z.array(ReconciliationCase), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const page = await deps.database.withOperator(caller.view, (em) => listCases(em, { filter: query, slice }));
      return { status: 200, data: page.rows.map(caseView), pagination: paginationOf(slice, page) };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: ONE,
    operationId: 'getReconciliationCase',
    tag: TAG,
    summary: 'Retrieve a case with its line, its history, and proposals',
    permission: 'report:read',
    params: CaseParams,
    response: DETAIL,
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params: { reference } }) => ({ status: 200, data: await shown(deps, caller, reference) }),
  });
}

function assign(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/assign`,
    operationId: 'assignReconciliationCase',
    tag: TAG,
    summary: 'Make an operator the owner of a case, by default yourself',
    permission: 'reconciliation:manage',
    params: CaseParams,
    body: AssignCase,
    response: DETAIL,
    errors: ERRORS,
    handler: async ({ caller, params: { reference }, body: { operatorId } }) => {
      await assignCase(deps, caller, {
        reference,
        ...(operatorId === undefined ? {} : { operatorId: BigInt(operatorId) }),
      });
      return { status: 200, data: await shown(deps, caller, reference) };
    },
  });
}

function release(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/release`,
    operationId: 'releaseReconciliationCase',
    tag: TAG,
    summary: 'Take a case from its owner',
    permission: 'reconciliation:manage',
    params: CaseParams,
    response: DETAIL,
    errors: ERRORS,
    handler: async ({ caller, params }) => {
      await releaseOwnedCase(deps, caller, params);
      return { status: 200, data: await shown(deps, caller, params.reference) };
    },
  });
}

function note(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/notes`,
    operationId: 'noteInReconciliationCase',
    tag: TAG,
    summary: 'Add a note to a case',
    permission: 'reconciliation:manage',
    params: CaseParams,
    body: CaseNote,
    response: DETAIL,
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params: { reference }, body: { text } }) => {
      await noteInCase(deps, caller, { reference, text });
      return { status: 200, data: await shown(deps, caller, reference) };
    },
  });
}

function act(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/actions`,
    operationId: 'actOnReconciliationCase',
    tag: TAG,
    summary: 'Decide what is done about a case',
    description:
      '`query-gateway` asks the gateway about the attempt that the line names, or about the refund or dispute, and writes its answer to the case. `create-refund` creates a refund of the payment by the usual rules, and also takes `refund:create`. `post-correction` says which payment or refund the line means, or to which account it belongs, and always takes a second operator. `accept` books the difference as it is, and takes a second operator above the threshold.',
    permission: 'reconciliation:manage',
    sensitive: true,
    params: CaseParams,
    body: CaseActionBody,
    response: { status: 200, schema: DecidedCase },
    errors: [...ERRORS, 'FORBIDDEN', 'REFUND_EXCEEDS_BALANCE'],
    handler: async ({ caller, params: { reference }, body }) => {
      if (body.action === 'create-refund') {
        const { reason } = body;
        await refundInCase(deps, caller, { reference, amountMinor: BigInt(body.amountMinor), reason });
        return { status: 200, data: await decided(deps, caller, { reference, state: 'ended' }) };
      }
      const state = await actOnCase(deps, caller, { reference, wanted: wantedOf(body) });
      return { status: 200, data: await decided(deps, caller, { reference, state }) };
    },
  });
}

function second(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/actions/second`,
    operationId: 'secondReconciliationCaseAction',
    tag: TAG,
    summary: 'Agree to another operator’s action',
    description:
      'Say what you agree to: the action as it waits in the case, with the payment, refund or account of a correction. 409 if another one waits by now.',
    permission: 'reconciliation:manage',
    sensitive: true,
    params: CaseParams,
    body: SecondedAction,
    response: { status: 200, schema: DecidedCase },
    errors: [...ERRORS, 'FORBIDDEN'],
    handler: async ({ caller, params: { reference }, body: { action, movement = null, account = null } }) => {
      const seen = { action, movementKey: movement, account };
      const state = await secondInCase(deps, caller, { reference, seen });
      return { status: 200, data: await decided(deps, caller, { reference, state }) };
    },
  });
}

function withdraw(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: `${ONE}/actions/withdraw`,
    operationId: 'withdrawReconciliationCaseAction',
    tag: TAG,
    summary: 'Withdraw the action that waits for a second operator',
    permission: 'reconciliation:manage',
    params: CaseParams,
    response: DETAIL,
    errors: ERRORS,
    handler: async ({ caller, params }) => {
      await withdrawInCase(deps, caller, params);
      return { status: 200, data: await shown(deps, caller, params.reference) };
    },
  });
}

type Direct = Exclude<z.infer<typeof CaseActionBody>, { action: 'create-refund' }>;

function wantedOf(body: Direct): Parameters<typeof actOnCase>[2]['wanted'] {
  if (body.action !== 'post-correction') {
    return body;
  }
  const { action, reason, movement, account } = body;
  return { action, reason, to: account === undefined ? { movementKey: movement ?? '' } : { account } };
}

const DECISIONS = {
  'awaiting-second': 'awaiting-second-approval',
  'in-progress': 'in-progress',
  ended: 'executed',
} as const satisfies Record<ActionState, z.infer<typeof DecidedCase>['decision']>;

async function decided(
  deps: AdminDependencies,
  caller: OperatorCaller,
  { reference, state }: { readonly reference: string; readonly state: ActionState },
): Promise<z.infer<typeof DecidedCase>> {
  return { case: await shown(deps, caller, reference), decision: DECISIONS[state] };
}

async function shown(deps: AdminDependencies, caller: OperatorCaller, reference: string) {
  return detailView(await readWholeCase(deps, caller, reference));
}
