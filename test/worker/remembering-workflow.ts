const seen: string[] = [];

/** Returns what the module and the global object remember of other runs. */
export function rememberingWorkflow(name: string): Promise<{ module: readonly string[]; global: string | null }> {
  seen.push(name);
  const memory: { last?: string; readonly Object: unknown } = globalThis;
  const global = memory.last ?? null;
  memory.last = name;
  return Promise.resolve({ module: [...seen], global });
}
