import type { CoreDependencies } from '../dependencies.ts';
import { recordAudit, type Actor } from './store/audit.ts';

/** The part of the path that an audit entry keeps. The route's template is stored beside it. */
const PATH_LENGTH_MAX = 200;

/** A request that a signed-in operator was not allowed to make. */
interface Refused {
  readonly actor: Actor;
  /** Method and template, such as `POST /admin/apps`. */
  readonly route: string;
  readonly permission: string | null;
  readonly path: string;
  readonly reason: string;
}

export async function recordRefusal(
  { database }: Pick<CoreDependencies, 'database'>,
  { actor, route, permission, path, reason }: Refused,
): Promise<void> {
  await database.withOperator([], (em) =>
    recordAudit(em, {
      actor,
      action: 'permission.refused',
      target: { type: 'route', id: route },
      after: { permission, path: path.slice(0, PATH_LENGTH_MAX) },
      reason,
    }),
  );
}
