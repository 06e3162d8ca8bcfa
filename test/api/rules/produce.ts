import { at, type Contract, type Operation } from './contract.ts';

/** The caller of a request: the application that owns what is created, another application, or nobody. */
export type Caller = 'owner' | 'stranger' | 'nobody';

export interface Request {
  readonly as: Caller;
  readonly method: string;
  /** Below the API's prefix, as it is sent. */
  readonly path: string;
  readonly body?: unknown;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** The API under test, or a server that was made to break a rule. */
export interface Target {
  send(request: Request): Promise<Answered>;
}

export interface Rules {
  readonly contract: Contract;
  readonly target: Target;
}

/** What a rule checked and found. */
export interface Findings {
  readonly cases: number;
  readonly violations: readonly string[];
}

export interface Produced {
  readonly values: Readonly<Record<string, string>>;
  readonly request: Request;
  readonly answer: Answered;
}

const PRODUCERS_MAX = 5;

/** Returns an operation's path parameters that links provide values for. The others are missing. */
export async function produceFor(
  { contract, target }: Rules,
  operation: Operation,
  depth = 0,
): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  if (depth === PRODUCERS_MAX) {
    throw new Error(`${operation.operationId} needs a chain of more than ${PRODUCERS_MAX} producers`);
  }
  for (const { producer, parameters } of operation.sources) {
    const wanted = operation.pathParameters.filter((name) => name in parameters && !(name in values));
    if (wanted.length > 0) {
      const made = await produce({ contract, target }, contract.operation(producer), depth + 1);
      for (const name of wanted) {
        values[name] = valueOf(parameters[name] ?? '', made);
      }
    }
  }
  return values;
}

/** Runs an operation as the owner with its example body, so that there is an object to request. */
export async function produce(rules: Rules, operation: Operation, depth = 0): Promise<Produced> {
  const values = await produceFor(rules, operation, depth);
  const request: Request = {
    as: 'owner',
    method: operation.method,
    path: pathOf(operation, values),
    ...(operation.body === null ? {} : { body: operation.body.example }),
  };
  const answer = await rules.target.send(request);
  if (answer.status < 200 || answer.status > 299) {
    throw new Error(`${request.method} ${request.path} answered ${answer.status} to its own example`);
  }
  return { values, request, answer };
}

/** Returns the value of a link's runtime expression. */
export function valueOf(expression: string, { values, request, answer }: Produced): string {
  const [source = '', pointer = ''] = expression.split('#');
  const path = /^\$request\.path\.(\w+)$/.exec(source)?.[1];
  const found =
    path !== undefined ? values[path] : at(source === '$request.body' ? request.body : answer.body, pointer);
  if (typeof found !== 'string' && typeof found !== 'number') {
    throw new Error(`${expression} leads to nothing in the answer to ${request.method} ${request.path}`);
  }
  return String(found);
}

export function pathOf({ path, operationId }: Operation, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new Error(`no link of the contract says how to come by ${name} of ${operationId}`);
    }
    return encodeURIComponent(value);
  });
}

/** Builds a valid request to the operation's path with these values. */
export function ordinary(
  operation: Operation,
  { as, values }: { as: Caller; values: Record<string, string> },
): Request {
  return {
    as,
    method: operation.method,
    path: pathOf(operation, values),
    ...(operation.body === null ? {} : { body: operation.body.example }),
  };
}
