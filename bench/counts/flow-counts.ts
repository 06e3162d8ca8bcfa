import type { HistoryCounts } from './histories.ts';
import type { Statement } from './statements.ts';

export interface StepCounts {
  readonly statements: readonly Statement[];
  readonly walBytes: number;
  /** By method and path. */
  readonly gatewayCalls: Readonly<Record<string, number>>;
}

export interface FlowCounts {
  readonly steps: Readonly<Record<string, StepCounts>>;
  /** By kind of workflow. */
  readonly workflows: Readonly<Record<string, HistoryCounts>>;
}
