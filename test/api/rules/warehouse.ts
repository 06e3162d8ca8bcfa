import type { Answered, Caller, Request, Target } from './produce.ts';

/** Defects that each break exactly one rule. */
export type Defect =
  | 'shows strangers everything'
  | 'finds a child anywhere'
  | 'keeps what it refused'
  | 'serves what was deleted'
  | 'reads the digits of any id'
  | 'fails on an odd id'
  | 'listens to queries'
  | 'takes any type'
  | 'fails on a wrong body';

const Box = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 60, pattern: '^[^\\u0000-\\u001f]+$' },
    size: { type: 'object', properties: { width: { type: 'integer', minimum: 1 } }, required: ['width'] },
  },
  required: ['name'],
  examples: [{ name: 'books', size: { width: 3 } }],
};
const Item = { ...Box, examples: [{ name: 'a book' }] };

function operation(operationId: string, more: object) {
  return { operationId, security: [{ key: [] }], responses: { 200: {} }, ...more };
}

function body(schema: object) {
  return { requestBody: { content: { 'application/json': { schema } } } };
}

const byId = { id: '$response.body#/data/id' };

/** A contract to which every rule applies: objects with owners, children, lists and deletion. */
export const WAREHOUSE = {
  paths: {
    '/boxes': {
      post: operation('createBox', {
        ...body({ $ref: '#/components/schemas/Box' }),
        responses: {
          201: {
            links: {
              read: { operationId: 'readBox', parameters: byId },
              remove: { operationId: 'deleteBox', parameters: byId },
              add: { operationId: 'addItem', parameters: byId },
              find: { operationId: 'findBoxes', parameters: { name: '$request.body#/name' } },
            },
          },
        },
      }),
      get: operation('findBoxes', { parameters: [{ name: 'name', in: 'query' }] }),
    },
    '/boxes/{id}': { get: operation('readBox', {}), delete: operation('deleteBox', {}) },
    '/boxes/{id}/items': {
      post: operation('addItem', {
        ...body({ $ref: '#/components/schemas/Item' }),
        responses: {
          201: {
            links: {
              read: {
                operationId: 'readItem',
                parameters: { id: '$request.path.id', item: '$response.body#/data/id' },
              },
            },
          },
        },
      }),
    },
    '/boxes/{id}/items/{item}': { get: operation('readItem', {}) },
  },
  components: { schemas: { Box, Item } },
};

interface Stored {
  readonly id: number;
  readonly owner: Caller;
  readonly box: number | null;
  readonly name: unknown;
}

/** Returns an in-memory server of that contract, correct except for the given defect. */
export function warehouse(defect?: Defect): Target {
  const things = new Map<number, Stored>();
  const deleted = new Map<number, Stored>();
  const idOf = (text: string): number | null => {
    if (defect === 'fails on an odd id' && text === '%00') {
      throw new Error('the database does not take NUL');
    }
    const loose = Number.parseInt(text, 10);
    return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : defect === 'reads the digits of any id' ? loose : null;
  };
  const find = (text: string, { as, box }: { as: Caller; box: number | null }): Stored | undefined => {
    const id = idOf(text) ?? 0;
    const thing = things.get(id) ?? (defect === 'serves what was deleted' ? deleted.get(id) : undefined);
    const ours = thing?.owner === as || defect === 'shows strangers everything';
    const inPlace = thing?.box === box || (defect === 'finds a child anywhere' && box !== null);
    return ours && inPlace ? thing : undefined;
  };
  const store = (request: Request, box: number | null): Answered => {
    const valid = isThing(request.body) || defect === 'takes any type';
    if (!valid && defect === 'fails on a wrong body') {
      throw new TypeError('cannot read properties of null');
    }
    const id = things.size + deleted.size + 1;
    const name =
      typeof request.body === 'object' && request.body !== null && 'name' in request.body && request.body.name;
    if (valid || defect === 'keeps what it refused') {
      things.set(id, { id, owner: request.as, box, name });
    }
    return valid ? { status: 201, body: { data: { id } } } : REFUSED;
  };
  const answer = (request: Request): Answered => {
    const [path, query] = split(request.path);
    const [, root, id, items, item, ...more] = path.split('/');
    if (root !== 'boxes' || more.length > 0 || (items !== undefined && items !== 'items')) {
      return ABSENT;
    }
    if (query !== undefined && defect === 'listens to queries' && id !== undefined) {
      return REFUSED;
    }
    if (id === undefined) {
      return request.method === 'POST'
        ? store(request, null)
        : list(request.as, new URLSearchParams(query).get('name'));
    }
    const box = find(id, { as: request.as, box: null });
    if (box === undefined) {
      return ABSENT;
    }
    if (items === undefined) {
      return request.method === 'DELETE' ? remove(box) : shown(box);
    }
    if (item === undefined) {
      return request.method === 'POST' ? store(request, box.id) : ABSENT;
    }
    const child = find(item, { as: request.as, box: box.id });
    return child === undefined ? ABSENT : shown(child);
  };
  const list = (as: Caller, name: string | null): Answered => ({
    status: 200,
    body: { data: [...things.values()].filter((thing) => thing.owner === as && thing.name === name) },
  });
  const remove = (box: Stored): Answered => {
    things.delete(box.id);
    deleted.set(box.id, box);
    return { status: 204, body: null };
  };
  return {
    send: (request) => {
      try {
        return Promise.resolve(answer(request));
      } catch {
        return Promise.resolve({ status: 500, body: null });
      }
    },
  };
}

const ABSENT: Answered = { status: 404, body: null };
const REFUSED: Answered = { status: 400, body: null };

function shown({ id, name }: Stored): Answered {
  return { status: 200, body: { data: { id, name } } };
}

function split(path: string): [string, string | undefined] {
  const at = path.indexOf('?');
  return at === -1 ? [path, undefined] : [path.slice(0, at), path.slice(at + 1)];
}

function isThing(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || !('name' in given)) {
    return false;
  }
  const { name } = given;
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  const named = typeof name === 'string' && name.length > 0 && name.length <= 60 && !/[\u0000-\u001f]/.test(name);
  return named && (!('size' in given) || isSize(given.size));
}

function isSize(size: unknown): boolean {
  if (typeof size !== 'object' || size === null || Array.isArray(size) || !('width' in size)) {
    return false;
  }
  return Number.isInteger(size.width) && Number(size.width) >= 1;
}
