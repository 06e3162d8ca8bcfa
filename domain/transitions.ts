/** For each status, those that may follow it. */
export type Transitions<Status extends string> = Readonly<Record<Status, readonly Status[]>>;

export function canFollow<Status extends string>(
  transitions: Transitions<Status>,
  { from, to }: { readonly from: Status; readonly to: Status },
): boolean {
  return transitions[from].includes(to);
}

/** Returns the statuses from which `to` can be reached, in the order of `statuses`: the guard of an update. */
export function statusesBefore<Status extends string>(
  transitions: Transitions<Status>,
  { statuses, to }: { readonly statuses: readonly Status[]; readonly to: Status },
): Status[] {
  return statuses.filter((from) => canFollow(transitions, { from, to }));
}
