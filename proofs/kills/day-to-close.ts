import type { Mode } from '../../domain/mode.ts';

/** What a process imports and reconciles, given as JSON. */
export interface DayToClose {
  readonly databaseUrl: string;
  readonly mode: Mode;
  readonly gateway: string;
  readonly period: string;
  /** References of uploaded files. */
  readonly files: readonly string[];
}
