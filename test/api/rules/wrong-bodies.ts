import type { BodyContract } from './contract.ts';

export interface WrongBody {
  readonly name: string;
  readonly wrong: unknown;
}

const STRANGE = [null, true, 0, -1, 1.5, 2 ** 53, 'x', '', 'x\u0000', 'x'.repeat(5_000), [], {}] as const;

/** Returns bodies that the contract does not allow, each with one change to the example: a member with another type, missing, or wrapped. */
export function wrongBodies({ example, members, allows }: BodyContract): WrongBody[] {
  const whole = [null, true, 7, 'text', [], [example], {}].map((wrong) => ({
    name: `the body ${short(wrong)}`,
    wrong,
  }));
  const single = members.flatMap((path) => {
    const value = path.reduce<unknown>((node, name) => memberOf(node, name), example);
    const label = path.join('.');
    return [
      { name: `no ${label}`, wrong: without(example, path) },
      ...[...STRANGE, [value ?? 'x'], { value: value ?? 'x' }].map((strange) => ({
        name: `${label} ${short(strange)}`,
        wrong: changed(example, { path, value: strange }),
      })),
    ];
  });
  return [...whole, ...single].filter(({ wrong }) => !allows(wrong));
}

function memberOf(node: unknown, name: string): unknown {
  return isObject(node) ? node[name] : undefined;
}

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function changed(node: unknown, { path, value }: { path: readonly string[]; value: unknown }): unknown {
  const [name, ...rest] = path;
  if (name === undefined) {
    return value;
  }
  return { ...(isObject(node) ? node : {}), [name]: changed(memberOf(node, name), { path: rest, value }) };
}

function without(node: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined || !isObject(node) || !(name in node)) {
    return node;
  }
  const { [name]: member, ...others } = node;
  return rest.length === 0 ? others : { ...others, [name]: without(member, rest) };
}

function short(value: unknown): string {
  return JSON.stringify(value).slice(0, 40);
}
