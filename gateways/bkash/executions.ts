/**
 * What is known of our executions of an attempt, in its row, so that every process knows the same. Of bKash's rule "after an execution
 * without an answer query, do not execute again" this is the memory: while the gateway may be at work on a payment it is not executed again,
 * and once an execution was sent nobody calls the attempt unexecuted until the gateway says so plainly.
 */
export interface Executions {
  stateOf(attemptReference: string): Promise<ExecutionState>;
  /**
   * Written before an execution is sent. Null when none may be sent: the attempt has ended or was left, its payment has ended or was called
   * off, the gateway may be at work on another execution, or has barred this one.
   */
  begin(execution: ExecutionToSend): Promise<BegunExecution | null>;
}

export interface ExecutionToSend {
  readonly attemptReference: string;
  readonly paymentId: string;
  /** How long the gateway may be at work on it, should this process die now. */
  readonly atWorkMs: number;
}

export interface BegunExecution {
  /** What earlier executions may have moved. */
  readonly doubt: ExecutionDoubt | null;
  /** Its answer came, or no longer can. Without effect once another execution was begun. */
  end(left: ExecutionLeft): Promise<void>;
}

/** `lost`: sent, without a usable answer. `executed`: by the execution's answer, and not by the query's. */
export type ExecutionDoubt = 'lost' | 'executed';

/** What an execution leaves. `plain`: it moved nothing, which leaves an earlier doubt as it was. `barred`: nor may it be repeated by a machine. */
export type ExecutionLeft = ExecutionDoubt | 'plain' | 'barred';

export interface ExecutionState {
  /** The database's time as this was read: a payment at the gateway grows old by it, whatever the clock of the process says. */
  readonly readAt: Date;
  readonly atWork: boolean;
  readonly barred: boolean;
  /** Null where no execution was ever sent, or each of them plainly moved nothing. */
  readonly doubt: ExecutionDoubt | null;
}
