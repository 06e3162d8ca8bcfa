import { z } from 'zod';
import { operatorNames } from '../../core/operators/store/names.ts';
import { toJsonInteger } from '../../domain/money.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

export const OperatorName = z.object({ id: z.int(), name: z.string() }).meta({ id: 'OperatorName' });

/** Returns the route that says who `operator:7` is. */
export function operatorNameRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/admin/operator-names',
      operationId: 'listOperatorNames',
      tag: 'Operators',
      summary: 'List the names of operators',
      description:
        'Everywhere else an operator is named by id, such as `operator:7` of a refund. Contains the operators who work in an application where you do, or in all of them; at most 1,000.',
      permission: 'any-permission',
      response: { status: 200, schema: z.array(OperatorName) },
      errors: [],
      handler: async ({ caller }) => {
        const names = await deps.database.withOperator([], (em) => operatorNames(em, caller.grants));
        return { status: 200, data: names.map(({ id, name }) => ({ id: toJsonInteger(id), name })) };
      },
    }),
  ];
}
