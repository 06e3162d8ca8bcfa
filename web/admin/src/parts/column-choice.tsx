import { Button, Checkbox, Popover, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useLanguage } from '../words/language.tsx';
import type { Column } from './list.tsx';

/** A column that a person can show or hide. */
export interface ChoosableColumn<Row> extends Column<Row> {
  /** What the address calls it. */
  readonly key: string;
  /** Whether it is there before anybody has chosen. */
  readonly isUsual: boolean;
}

/**
 * Returns the columns to show. What a person has chosen is shown on every screen; a narrow one scrolls the table.
 * @param chosen keys with commas between them, as the address has them; undefined if nobody has chosen
 */
export function shownColumns<Row>(
  columns: readonly ChoosableColumn<Row>[],
  chosen: string | undefined,
): readonly ChoosableColumn<Row>[] {
  if (chosen === undefined) {
    return columns.filter(({ isUsual }) => isUsual);
  }
  const keys = chosen.split(',');
  return columns.filter(({ key }) => keys.includes(key)).map(({ from: _everywhere, ...column }) => column);
}

/** Puts the choice into the page's address beside the filter, so that a saved view keeps it. */
export function ColumnChoice<Row>({
  columns,
  filter,
}: {
  readonly columns: readonly ChoosableColumn<Row>[];
  readonly filter: Readonly<Record<string, string | undefined>> & { readonly columns?: string };
}) {
  const { words } = useLanguage();
  const navigate = useNavigate();
  const shown = shownColumns(columns, filter.columns).map(({ key }) => key);
  const show = (chosen: string | undefined): void =>
    void navigate({ to: '.', search: { ...filter, columns: chosen } as never, replace: true });
  const toggle = (key: string): void => {
    const chosen = columns.filter((one) => shown.includes(one.key) !== (one.key === key)).map((one) => one.key);
    // A table without a column would have nothing to choose from.
    show(chosen.length === 0 ? undefined : chosen.join(','));
  };
  return (
    <Popover position="bottom-end" withinPortal={false} trapFocus>
      <Popover.Target>
        <Button variant="default">{words.columns}</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={words.columns}>
        <Stack gap="xs">
          {columns.map(({ key, name }) => (
            <Checkbox key={key} label={name} checked={shown.includes(key)} onChange={() => toggle(key)} />
          ))}
          <Button variant="default" size="xs" disabled={filter.columns === undefined} onClick={() => show(undefined)}>
            {words.usualColumns}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
