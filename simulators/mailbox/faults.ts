import { BodyError } from '../kit/form-body.ts';

/** `temporary` answers 451, `permanent` 550, `silent` never answers, and `close` hangs up. */
const faultKinds = ['temporary', 'permanent', 'silent', 'close'] as const;
/** When the fault happens: before the greeting, at RCPT TO, or after the whole message has arrived. */
const faultStages = ['connect', 'recipient', 'message'] as const;
const timesMax = 10_000;
const queueMax = 1_000;

export type FaultStage = (typeof faultStages)[number];

/** A fault of the next `times` connections, recipients or messages. */
export type EmailFault = {
  kind: (typeof faultKinds)[number];
  at: FaultStage;
  times: number;
  /** For `message`: the message is stored all the same, and only the answer is lost. */
  executed: boolean;
};

export type FaultQueue = {
  /** Removes and returns the next fault of a stage, if there is one. */
  take(stage: FaultStage): EmailFault | undefined;
  add(fault: EmailFault): void;
  list(): readonly EmailFault[];
  clear(): void;
};

/** Creates a queue in memory only: a restart clears the faults, as it would on a real server. */
export function createFaultQueue(): FaultQueue {
  let queue: EmailFault[] = [];
  return {
    take(stage) {
      const fault = queue.find((fault) => fault.at === stage);
      if (fault !== undefined) {
        fault.times -= 1;
        queue = queue.filter((fault) => fault.times > 0);
      }
      return fault;
    },
    add(fault) {
      if (queue.length >= queueMax) {
        throw new BodyError(409, `There are ${queueMax} faults already`);
      }
      queue.push(fault);
    },
    list: () => queue,
    clear() {
      queue = [];
    },
  };
}

/**
 * Reads `{kind, at?, times?, executed?}`. By default the fault affects the next message.
 * @throws BodyError naming what is invalid
 */
export function parseFault(body: Record<string, unknown>): EmailFault {
  const { kind, at = 'message', times = 1, executed = false, ...others } = body;
  const knownKind = faultKinds.find((known) => known === kind);
  const knownStage = faultStages.find((known) => known === at);
  if (knownKind === undefined || knownStage === undefined || Object.keys(others).length > 0) {
    throw new BodyError(400, `kind is one of ${faultKinds.join(', ')}; at is one of ${faultStages.join(', ')}`);
  }
  if (typeof times !== 'number' || !Number.isInteger(times) || times < 1 || times > timesMax) {
    throw new BodyError(400, `times is a whole number from 1 to ${timesMax}`);
  }
  if (typeof executed !== 'boolean' || (executed && knownStage !== 'message')) {
    throw new BodyError(400, 'executed is true or false, and true only at message');
  }
  return { kind: knownKind, at: knownStage, times, executed };
}
