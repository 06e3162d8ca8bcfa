import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const composeFile = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      environment: z.record(z.string(), z.string()).default({}),
      command: z.array(z.string()).optional(),
      healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
      depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).default({}),
      ports: z.array(z.string()).default([]),
      configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
    }),
  ),
  configs: z.record(z.string(), z.object({ content: z.string() })),
});

export type ComposeFile = z.infer<typeof composeFile>;

export const COMPOSE_TEXT = readFileSync(resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8');

/** Returns the file as YAML, without variables filled in, for the schema. */
export function rawComposeFile(): unknown {
  return parse(COMPOSE_TEXT, { merge: true });
}

/**
 * Reads the file and fills in the caller's variables as `docker compose` does.
 * @throws for a required variable that is missing, with the file's own words.
 */
export function readComposeFile(variables: Readonly<Record<string, string>>): ComposeFile {
  return composeFile.parse(interpolated(rawComposeFile(), variables));
}

/** Returns every environment variable that the file uses. */
export function variablesOf(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name = '']) => name));
}

function interpolated(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return interpolateText(value, variables);
  }
  if (Array.isArray(value)) {
    return value.map((item) => interpolated(item, variables));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, interpolated(inner, variables)]));
  }
  return value;
}

/** Handles `$$`, `${NAME:?words}` and `${NAME:-default}`, the only forms that the file uses. */
function interpolateText(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\{([A-Z_]+):([?-])([^}]*)\}|.?)/g, (whole, name, form, rest) => {
    if (whole === '$$') {
      return '$';
    }
    if (typeof name !== 'string') {
      throw new Error(`"${whole}" in "${text}" is not a form that this reader knows`);
    }
    const value = variables[name] ?? '';
    if (value === '' && form === '?') {
      throw new Error(`${name} is required: ${rest}`);
    }
    return value === '' ? String(form === '-' ? rest : '') : value;
  });
}
