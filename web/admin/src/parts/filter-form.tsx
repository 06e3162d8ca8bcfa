import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { Fragment } from 'react';
import { ViewsBar } from '../views/views-bar.tsx';
import { useLanguage } from '../words/language.tsx';

interface Field {
  readonly name: string;
  readonly label: string;
  /** What can be chosen, by value. */
  readonly options?: Readonly<Record<string, string>>;
  /** What is shown if nothing is chosen; everything unless it is said. */
  readonly otherwise?: string;
  readonly type?: 'date' | 'search' | 'text';
  readonly placeholder?: string;
  /** What is offered while a person types. */
  readonly suggestions?: readonly string[];
}

/** Puts the filter into the page's address, so that it can be sent to a colleague and kept as a bookmark. */
export function FilterForm({
  filter,
  fields,
  kept = [],
}: {
  readonly filter: Readonly<Record<string, string | undefined>>;
  readonly fields: readonly Field[];
  /** What the address has beside the filter, such as the columns. */
  readonly kept?: readonly string[];
}) {
  const { words } = useLanguage();
  const navigate = useNavigate();
  // The page's own route reads the filter from the address again, and leaves out what is none.
  const show = (search: Record<string, unknown>): void => void navigate({ to: '.', search: search as never });
  const keptSearch = Object.fromEntries(kept.map((name) => [name, filter[name]]));
  const isFiltered = Object.entries(filter).some(([name, value]) => value !== undefined && !kept.includes(name));
  const [isOpen, { toggle }] = useDisclosure(isFiltered);
  return (
    <>
      <ViewsBar />
      {/* On a phone the list matters more than its filter. */}
      <div className="filter-toggle">
        <Button size="xs" variant="default" aria-expanded={isOpen} onClick={toggle}>
          {words.filter}
        </Button>
      </div>
      <form
        key={JSON.stringify(filter)}
        role="search"
        className="filter"
        data-closed={isOpen ? undefined : true}
        onSubmit={(event) => {
          event.preventDefault();
          show({ ...keptSearch, ...Object.fromEntries(new FormData(event.currentTarget)) });
        }}
      >
        {fields.map(({ name, label, options, otherwise, type, placeholder, suggestions }) =>
          options === undefined ? (
            <Fragment key={name}>
              <TextInput
                name={name}
                type={type ?? 'text'}
                className={type === 'search' ? 'filter-search' : ''}
                label={label}
                placeholder={placeholder}
                defaultValue={filter[name] ?? ''}
                {...(suggestions === undefined ? {} : { list: `suggested-${name}` })}
              />
              {suggestions !== undefined && (
                <datalist id={`suggested-${name}`}>
                  {suggestions.map((one) => (
                    <option key={one} value={one} />
                  ))}
                </datalist>
              )}
            </Fragment>
          ) : (
            <NativeSelect
              key={name}
              name={name}
              label={label}
              defaultValue={filter[name] ?? ''}
              data={[
                { value: '', label: otherwise ?? words.all },
                ...Object.entries(options).map(([value, text]) => ({ value, label: text })),
              ]}
            />
          ),
        )}
        <Button type="submit">{words.apply}</Button>
        <Button variant="default" onClick={() => show(keptSearch)}>
          {words.clear}
        </Button>
      </form>
    </>
  );
}
