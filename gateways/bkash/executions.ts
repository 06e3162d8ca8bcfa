/**
 * The recorded executions of an attempt. They are in the attempt's row, so that every process sees the same. bKash's rule is: after an execution
 * without an answer, query and do not execute again. While the gateway may still be working on a payment it is not executed again, and once an
 * execution was sent no process treats the attempt as unexecuted until the gateway clearly says so.
 */
export interface Executions {
  stateOf(attemptReference: string): Promise<ExecutionState>;
  /**
   * Records an execution before it is sent. Returns null if none may be sent: the attempt has ended or was left, its payment has ended or was
   * cancelled, the gateway may be working on another execution, or it has forbidden a retry.
   */
  begin(execution: ExecutionToSend): Promise<BegunExecution | null>;
}

export interface ExecutionToSend {
  readonly attemptReference: string;
  readonly paymentId: string;
  /** For how long the gateway may be working on the execution, if this process dies now. */
  readonly atWorkMs: number;
}

export interface BegunExecution {
  /** The outcome of earlier executions that may have moved money. */
  readonly doubt: ExecutionDoubt | null;
  /** Records the end of the execution: its answer arrived, or can no longer arrive. Has no effect once another execution has begun. */
  end(left: ExecutionLeft): Promise<void>;
}

/** `lost`: sent without a usable answer. `executed`: the execution's answer says so, but the query does not show it. */
export type ExecutionDoubt = 'lost' | 'executed';

/**
 * The result of an execution. `plain`: it moved no money; an earlier doubt remains. `barred`: it moved no money and must not be retried
 * automatically.
 */
export type ExecutionLeft = ExecutionDoubt | 'plain' | 'barred';

export interface ExecutionState {
  /** The database's time of the read. The age of a payment at the gateway is computed from it, not from the process's clock. */
  readonly readAt: Date;
  readonly atWork: boolean;
  readonly barred: boolean;
  /** Null if no execution was ever sent, or if every one clearly moved no money. */
  readonly doubt: ExecutionDoubt | null;
}
