import type { Check } from './check.ts';

/** Code as ast-grep reads it: `$NAME` stands for any node, `$$$NAMES` for any number of them. Layout and quotes do not matter. */
export type Pattern = string | { readonly context: string; readonly selector: string };

interface Place {
  /** A folder or a file, relative to the project's root. A folder lets the code move to another file of it. */
  readonly in: string;
}

/** Replaces a piece of code. It is found by its syntax, so renamed locals and new line breaks do not matter. */
export interface CodeEdit extends Place {
  readonly find: Pattern;
  /** Code around it, in it, or before or after it in the same block. It makes the match unique, or binds a name that the replacement needs. */
  readonly inside?: Pattern;
  readonly has?: Pattern;
  readonly follows?: Pattern;
  readonly precedes?: Pattern;
  /** The metavariables of all patterns are filled in. */
  readonly replace: string;
}

/** Replaces SQL text inside a string or a template. White space does not matter. */
export interface SqlEdit extends Place {
  readonly sql: string;
  readonly replace: string;
}

/** A change at one place in the code. It must match exactly once, so that a defect that no longer fits the code is noticed. */
export type Edit = CodeEdit | SqlEdit;

/** The pattern of a property in an object literal. */
export function property(text: string): Pattern {
  return { context: `({ ${text} })`, selector: 'pair' };
}

/** The pattern of an object literal. */
export function object(text: string): Pattern {
  return { context: `({ ${text} })`, selector: 'object' };
}

/** The pattern of a function's parameter. */
export function parameter(text: string): Pattern {
  return { context: `function f(${text}) {}`, selector: 'required_parameter' };
}

export interface Catch {
  readonly check: Check;
  /** What the check must name as broken: a judge, an invariant, a rule, or a test by its full name. */
  readonly names: string;
}

/** A plausible mistake in the code, and the checks that must notice it. */
export interface Defect {
  readonly name: string;
  /** What goes wrong, and for whom. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Catch[];
}
