import type { AppView, Grant } from '../../domain/permissions.ts';
import type { Actor } from '../../core/operators/store/audit.ts';

/** The operator who makes a request, read from the database for each request: a revocation takes effect with the next request. */
export interface OperatorCaller {
  readonly operator: {
    readonly id: bigint;
    readonly email: string;
    readonly name: string;
    /** Whether a second factor is set up and confirmed. */
    readonly secondFactor: boolean;
    /** Whether another person chose the password. */
    readonly passwordTemporary: boolean;
  };
  readonly session: OperatorCallerSession;
  readonly grants: readonly Grant[];
  /** Where the operator holds the route's permission: the argument of `withOperator`. Empty on routes about the operator's own session. */
  readonly view: AppView;
  /** This operator, for the audit log. */
  readonly actor: Actor;
}

export interface OperatorCallerSession {
  readonly id: bigint;
  readonly kind: 'BEARER' | 'COOKIE';
  readonly expiresAt: Date;
  readonly reauthenticatedAt: Date;
  /** The token that came with this request. */
  readonly token: string;
}
