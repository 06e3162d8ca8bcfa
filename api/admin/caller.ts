import type { AppView, Grant } from '../../domain/permissions.ts';
import type { Actor } from '../../database/operators/audit.ts';

/** The operator of a request, as the rows say at this moment: what is taken from him acts at his next request. */
export interface OperatorCaller {
  readonly operator: {
    readonly id: bigint;
    readonly email: string;
    readonly name: string;
    /** A second factor is set up and confirmed. */
    readonly secondFactor: boolean;
    /** The password was given by somebody else. */
    readonly passwordTemporary: boolean;
  };
  readonly session: OperatorCallerSession;
  readonly grants: readonly Grant[];
  /** Where he holds what the route demands: the argument of `withOperator`. Empty on routes about his own session. */
  readonly view: AppView;
  /** Himself, for the audit log. */
  readonly actor: Actor;
}

export interface OperatorCallerSession {
  readonly id: bigint;
  readonly kind: 'BEARER' | 'COOKIE';
  readonly expiresAt: Date;
  readonly reauthenticatedAt: Date;
  /** What came with this request. */
  readonly token: string;
}
