export interface MessageDefinition {
  readonly type: 'signal' | 'update' | 'query';
  readonly name: string;
}

/** Ends a run and starts the next one with these arguments. */
export class ContinueAsNew extends Error {
  readonly args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    super('continue as new');
    this.name = 'ContinueAsNew';
    this.args = args;
  }
}

export interface ActivityCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: object;
  readonly local: boolean;
}

export interface ChildCall {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly args: readonly unknown[];
}

export interface Child {
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
  result(): Promise<unknown>;
}

/** What workflow code can do in its run. */
export interface CurrentRun {
  readonly nowMs: number;
  setHandler(definition: MessageDefinition, handler: (...args: never[]) => unknown): void;
  handlersRun(): boolean;
  until(holds: () => boolean): Promise<void>;
  timer(ms: number): { readonly fired: Promise<void>; cancel(): void };
  activity(call: ActivityCall): Promise<unknown>;
  child(call: ChildCall): Promise<Child>;
  /** Runs work that the run's cancellation does not reach. */
  shielded<T>(work: () => Promise<T>): Promise<T>;
  /** Returns whether the run is cancelled, as seen by the code that asks. */
  isCancelled(): boolean;
  describe(details: string): void;
  upsert(attributes: readonly { key: { name: string }; value: unknown }[]): void;
  info(): object;
}

let current: CurrentRun | null = null;

/** Sets the run whose code is executing. It stays set during one activation, while no other code runs. */
export function setCurrentRun(run: CurrentRun | null): void {
  current = run;
}

/** Returns the workflow's own clock while workflow code runs, else null. */
export function workflowTimeMs(): number | null {
  return current?.nowMs ?? null;
}

export function currentRun(): CurrentRun {
  if (current === null) {
    throw new Error('workflow code ran outside of an activation');
  }
  return current;
}
