import type { EntityManager } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { notFound } from '../../domain/errors.ts';
import type { Money } from '../../domain/money.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit, type AuditEntry } from '../operators/store/audit.ts';
import type { FoundPayment } from '../operators/store/money.ts';
import { decide, decisionFacts, needsSecond, type NewDecision, type StoredDecision } from './store/decisions.ts';

/** What an operator decides about a locked row. */
export interface Ruling extends Pick<NewDecision, 'kind' | 'paymentId' | 'decision' | 'reason'>, About {
  /**
   * The amount that the decision moves or posts: it counts towards the operator's sum, which determines whether a second operator has to agree.
   * Otherwise the amount is counted elsewhere.
   */
  readonly weight: { readonly amount: Money } | { readonly needsSecond: boolean };
  /** The members that the decision adds are `complete` and `replaces`. */
  readonly audit: Pick<AuditEntry, 'action' | 'target' | 'before' | 'after'>;
}

/** What the decision is about besides its payment. */
interface About {
  readonly refundId?: bigint;
  readonly unappliedPaymentId?: bigint;
  readonly manualSubmissionId?: bigint;
}

/** The steps of a decision, in this order. Every decision of an operator has this shape. */
export interface DecisionSteps<Found extends FoundPayment, Target, Outcome> {
  /** For the error when the operator's view has no such row. */
  readonly what: string;
  readonly locate: (em: EntityManager) => Promise<Found | null>;
  /**
   * Locks the payment, then what the decision is about, and reads it.
   * @throws DomainError when there is nothing to decide
   */
  readonly lock: (statements: Statements, found: Found) => Promise<Target>;
  readonly rule: (target: Target) => Ruling;
  /** Writes what belongs to the decision itself, once it is complete, in its transaction. */
  readonly write?: (
    statements: Statements,
    decided: { readonly found: Found; readonly target: Target; readonly decision: StoredDecision },
  ) => Promise<Outcome>;
  /**
   * Returns how to wake the workflow that carries the decision out, after the commit. If that fails, the sweeper does it. Null: nothing has to be
   * woken.
   */
  readonly signal: (decided: Decided<Found, Target, Outcome>) => DecisionSignal | null;
}

export interface DecisionSignal {
  /** Fields for the log line if it fails. */
  readonly about: Readonly<Record<string, string>>;
  readonly send: () => Promise<unknown>;
}

export interface Decided<Found, Target, Outcome> {
  readonly found: Found;
  /** As it was when it was locked. */
  readonly target: Target;
  readonly decision: StoredDecision;
  /** What `write` returned; null while a second operator has to make the same decision, or without `write`. */
  readonly outcome: Outcome | null;
}

type Dependencies = Pick<CoreDependencies, 'database' | 'log'>;

/**
 * Takes an operator's decision: locate the row in the operator's view, lock it in its application's scope, store the decision and its audit entry in
 * one transaction, and signal the workflow once the decision is complete. The row is authoritative; the signal only saves waiting.
 * @throws DomainError RESOURCE_NOT_FOUND, the errors of `lock`, and those of `decide`
 */
export async function takeOperatorDecision<Found extends FoundPayment, Target, Outcome = null>(
  deps: Dependencies,
  caller: ActingOperator,
  steps: DecisionSteps<Found, Target, Outcome>,
): Promise<Decided<Found, Target, Outcome>> {
  const found = await deps.database.withOperator(caller.view, steps.locate);
  if (found === null) {
    throw notFound(steps.what);
  }
  const decided = await deps.database.withScope(found.scope, async (statements) => {
    const target = await steps.lock(statements, found);
    const decision = await store(statements, { caller, found, ruling: steps.rule(target) });
    const outcome =
      decision.complete && steps.write !== undefined
        ? await steps.write(statements, { found, target, decision })
        : null;
    return { found, target, decision, outcome };
  });
  if (decided.decision.complete) {
    await send(deps, steps.signal(decided));
  }
  return decided;
}

interface Storing {
  readonly caller: ActingOperator;
  readonly found: FoundPayment;
  readonly ruling: Ruling;
}

async function store(
  statements: Statements,
  { caller, found: { scope }, ruling: { weight, audit, ...ruling } }: Storing,
): Promise<StoredDecision> {
  const { kind, paymentId, refundId = null, unappliedPaymentId = null, manualSubmissionId, decision: word } = ruling;
  const operatorId = caller.operator.id;
  const submission = manualSubmissionId === undefined ? {} : { manualSubmissionId };
  const decision = await decide(statements, {
    scope,
    kind,
    paymentId,
    refundId,
    unappliedPaymentId,
    ...submission,
    decision: word,
    reason: ruling.reason,
    operatorId,
    amount: 'amount' in weight ? weight.amount : null,
    needsSecond:
      'amount' in weight
        ? await needsSecond(statements, {
            scope,
            operatorId,
            paymentId,
            amount: weight.amount,
            decision: word,
            ...submission,
          })
        : weight.needsSecond,
  });
  await recordAudit(statements, {
    actor: caller.actor,
    ...audit,
    application: { id: scope.applicationId, mode: scope.mode },
    after: { ...audit.after, ...decisionFacts(decision) },
    ...(ruling.reason === null ? {} : { reason: ruling.reason }),
  });
  return decision;
}

async function send({ log }: Dependencies, signal: DecisionSignal | null): Promise<void> {
  await signal?.send().catch((error: unknown) => {
    log.warn({ ...signal.about, error: describeError(error) }, 'decision not signalled; the sweeper retries');
  });
}
