import { randomUUID } from 'node:crypto';
import type { Contract, Operation } from './contract.ts';
import { ODD_QUERIES, oddIds } from './odd-values.ts';
import { wrongBodies } from './wrong-bodies.ts';
import {
  ordinary,
  pathOf,
  produceFor,
  valueOf,
  type Answered,
  type Findings,
  type Produced,
  type Rules,
} from './produce.ts';

/** One of the security rules of the REST fuzzer RESTler, applied to a contract. */
export interface Rule {
  readonly name: string;
  readonly promise: string;
  /** The operations that the rule applies to. */
  applicable(contract: Contract): readonly Operation[];
  check(rules: Rules, operation: Operation): Promise<Findings>;
}

const nameSpace: Rule = {
  name: 'NameSpace',
  promise: "another application's object is not there",
  applicable: ({ operations }) =>
    operations.filter(({ secured, pathParameters }) => secured && pathParameters.length > 0),
  async check(rules, operation) {
    const values = { ...(await produceFor(rules, operation)) };
    const foreign = await rules.target.send(ordinary(operation, { as: 'stranger', values }));
    const own = await rules.target.send(ordinary(operation, { as: 'owner', values }));
    return found([
      [isAbsent(foreign), `${describe(operation)} answers ${foreign.status} to another application`],
      [!isAbsent(own), `${describe(operation)} answers ${own.status} to its owner, so the rule proves nothing`],
    ]);
  },
};

const resourceHierarchy: Rule = {
  name: 'ResourceHierarchy',
  promise: 'a child is not there under another parent',
  applicable: ({ operations }) => operations.filter(({ pathParameters }) => pathParameters.length > 1),
  async check(rules, operation) {
    const [one, other] = [await produceFor(rules, operation), await produceFor(rules, operation)];
    const child = operation.pathParameters.at(-1) ?? '';
    const crossed = { ...one, [child]: other[child] ?? '' };
    const answer = await rules.target.send(ordinary(operation, { as: 'owner', values: crossed }));
    const right = await rules.target.send(ordinary(operation, { as: 'owner', values: { ...one } }));
    return found([
      [isAbsent(answer), `${describe(operation)} answers ${answer.status} to a child of another parent`],
      [!isAbsent(right), `${describe(operation)} answers ${right.status} under the right parent`],
    ]);
  },
};

const leakage: Rule = {
  name: 'Leakage',
  promise: 'what could not be created cannot be read',
  applicable: (contract) => contract.operations.filter((operation) => creates(contract, operation)),
  async check(rules, operation) {
    const { contract, target } = rules;
    const { body } = operation;
    if (body === null) {
      return found([]);
    }
    const values = await produceFor(rules, operation);
    const outcomes: Outcome[] = [];
    const members = lookedUpBy(contract, operation);
    for (const { name, wrong } of wrongBodies(body)) {
      const marked = mark(wrong, { example: body.example, members, text: `never-${randomUUID()}` });
      const request = { as: 'owner' as const, method: operation.method, path: pathOf(operation, values), body: marked };
      const answer = await target.send(request);
      const refused: Produced = { values, request, answer };
      for (const reader of contract.operations) {
        for (const path of pathsByRequest(reader, { producer: operation.operationId, refused })) {
          const read = await target.send({ as: 'owner', method: reader.method, path });
          outcomes.push([
            answer.status < 400 || showsNothing(read),
            `${describe(operation)} refused a body (${name}), yet ${describe(reader)} shows something of it`,
          ]);
        }
      }
    }
    return found(outcomes);
  },
};

const useAfterFree: Rule = {
  name: 'UseAfterFree',
  promise: 'what was deleted is not there',
  applicable: ({ operations }) =>
    operations.filter(({ method, pathParameters }) => method === 'DELETE' && pathParameters.length > 0),
  async check(rules, operation) {
    const { contract, target } = rules;
    const outcomes: Outcome[] = [];
    for (const user of contract.operations.filter(({ path }) => isBelow(path, operation.path))) {
      const values = { ...(await produceFor(rules, user)) };
      await target.send(ordinary(operation, { as: 'owner', values }));
      const answer = await target.send(ordinary(user, { as: 'owner', values }));
      const repeated = user.operationId === operation.operationId && answer.status < 300;
      outcomes.push([
        isAbsent(answer) || repeated,
        `${describe(user)} answers ${answer.status} after ${describe(operation)}`,
      ]);
    }
    return found(outcomes);
  },
};

const invalidDynamicObject: Rule = {
  name: 'InvalidDynamicObject',
  promise: 'an odd id names nothing, and a query behind an id changes nothing',
  applicable: ({ operations }) => operations.filter(({ pathParameters }) => pathParameters.length > 0),
  async check(rules, operation) {
    const values = await produceFor(rules, operation);
    const usual = await rules.target.send(ordinary(operation, { as: 'owner', values: { ...values } }));
    const outcomes: Outcome[] = [];
    const ask = async (path: string): Promise<number> =>
      (await rules.target.send({ ...ordinary(operation, { as: 'owner', values: { ...values } }), path })).status;
    for (const query of ODD_QUERIES) {
      // A new object each time, because the operation can delete it.
      const path = pathOf(operation, await produceFor(rules, operation)) + query;
      const status = await ask(path);
      outcomes.push([status === usual.status, `${operation.method} ${path} answers ${status}`]);
    }
    for (const name of operation.pathParameters) {
      for (const odd of oddIds(values[name] ?? '')) {
        const path = operation.path.replace(/\{(\w+)\}/g, (_whole, other: string) =>
          other === name ? odd : encodeURIComponent(values[other] ?? ''),
        );
        const status = await ask(path);
        outcomes.push([status >= 400 && status < 500, `${operation.method} ${path.slice(0, 120)} answers ${status}`]);
      }
    }
    return found(outcomes);
  },
};

const payloadBody: Rule = {
  name: 'PayloadBody',
  promise: 'a body that the contract does not allow is refused, member by member',
  applicable: ({ operations }) => operations.filter(({ body }) => body !== null),
  async check(rules, operation) {
    const { body } = operation;
    if (body === null) {
      return found([]);
    }
    const values = { ...(await produceFor(rules, operation)) };
    const outcomes: Outcome[] = [];
    for (const { name, wrong } of wrongBodies(body)) {
      const request = ordinary(operation, { as: 'owner', values });
      const { status } = await rules.target.send({ ...request, body: wrong });
      outcomes.push([status >= 400 && status < 500, `${describe(operation)} answers ${status} to ${name}`]);
    }
    return found(outcomes);
  },
};

export const RULES: readonly Rule[] = [
  nameSpace,
  resourceHierarchy,
  leakage,
  useAfterFree,
  invalidDynamicObject,
  payloadBody,
];

type Outcome = readonly [holds: boolean, otherwise: string];

function found(outcomes: readonly Outcome[]): Findings {
  return { cases: outcomes.length, violations: outcomes.filter(([holds]) => !holds).map(([, words]) => words) };
}

function describe({ method, path }: Operation): string {
  return `${method} ${path}`;
}

function isAbsent({ status }: Answered): boolean {
  return status === 404 || status === 410;
}

/** Reports whether others can find what the operation created from its request body, without its answer. */
function creates(contract: Contract, operation: Operation): boolean {
  return operation.body !== null && lookedUpBy(contract, operation).length > 0;
}

/** Returns paths that read what was created without anything from the answer, since a refused request has no object in its answer. */
function pathsByRequest(reader: Operation, { producer, refused }: { producer: string; refused: Produced }): string[] {
  return reader.sources
    .filter((source) => source.producer === producer)
    .flatMap(({ parameters }) => {
      const expressions = Object.entries(parameters);
      if (expressions.length === 0 || expressions.some(([, expression]) => !expression.startsWith('$request.body'))) {
        return [];
      }
      try {
        const given = expressions.map(([name, expression]) => [name, valueOf(expression, refused)] as const);
        const query = new URLSearchParams(
          given.filter(([name]) => !reader.pathParameters.includes(name)).map((pair) => [...pair]),
        );
        const path = pathOf(reader, Object.fromEntries(given));
        return [query.size === 0 ? path : `${path}?${query}`];
      } catch {
        // The reader needs the member that this body left out.
        return [];
      }
    });
}

interface Mark {
  readonly example: Readonly<Record<string, unknown>>;
  readonly members: readonly string[];
  readonly text: string;
}

/** Puts a unique text into the members that readers search by, except where such a member is the fault under test. */
function mark(body: unknown, { example, members, text }: Mark): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return body;
  }
  const marked = Object.entries(body).map(([name, value]: [string, unknown]) =>
    members.includes(name) && typeof value === 'string' && value === example[name] ? [name, text] : [name, value],
  );
  return Object.fromEntries(marked);
}

/** Returns the members of the request's body by which an operation's creations are looked up: `$request.body#/name`. */
function lookedUpBy({ operations }: Contract, { operationId }: Operation): string[] {
  return operations
    .flatMap(({ sources }) => sources.filter(({ producer }) => producer === operationId))
    .flatMap(({ parameters }) => Object.values(parameters))
    .flatMap((expression) => /^\$request\.body#\/(\w+)$/.exec(expression)?.[1] ?? []);
}

function showsNothing({ status, body }: Answered): boolean {
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : null;
  return status >= 400 || (Array.isArray(data) && data.length === 0);
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}
