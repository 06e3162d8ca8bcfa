import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, type WaitsFor } from './messages/names.ts';

interface Searchable {
  /** The status that the API answers. */
  readonly status?: string;
  /** Null when nothing is waited for any more. */
  readonly waitsFor?: WaitsFor | null;
}

/** Updates what operators search by. It is the most expensive write in Temporal, so only changed values are written, all of them at once. */
export function showSearchable({ status, waitsFor }: Searchable): void {
  const { typedSearchAttributes: shown } = workflowInfo();
  const changed: SearchAttributeUpdatePair[] = [];
  if (status !== undefined && shown.get(SEARCH_ATTRIBUTES.status) !== status) {
    changed.push({ key: SEARCH_ATTRIBUTES.status, value: status });
  }
  if (waitsFor !== undefined && (shown.get(SEARCH_ATTRIBUTES.waitsFor) ?? null) !== waitsFor) {
    changed.push({ key: SEARCH_ATTRIBUTES.waitsFor, value: waitsFor });
  }
  if (changed.length > 0) {
    upsertSearchAttributes(changed);
  }
}
