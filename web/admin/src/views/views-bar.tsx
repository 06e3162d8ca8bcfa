import { Group, TextInput } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';
import { api, bodyOf, dataOf } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { isSameQuery, SAVED_VIEWS, searchOf, useSavedViews, type SavedView } from './saved-views.ts';
import { VIEW_WORDS } from './words.ts';

/** The person's own views of the list that is shown, and what can be done with them. */
export function ViewsBar() {
  const words = useWords(VIEW_WORDS);
  const { mode } = useMode();
  const { pathname, searchStr } = useLocation();
  const page = pathname.split('/')[2] ?? '';
  const query = searchStr.replace(/^\?/, '');
  const views = useSavedViews().filter((view) => view.page === page && view.mode === mode);
  const chosen = views.find((view) => isSameQuery(view.query, query));
  const isFiltered = query !== '';
  return views.length === 0 && !isFiltered ? null : (
    <Group component="nav" aria-label={words.views} gap="xs">
      {views.length > 0 && (
        <ViewLink search={{}} isChosen={!isFiltered}>
          {words.all}
        </ViewLink>
      )}
      {views.map((view) => (
        <ViewLink key={view.id} search={searchOf(view)} isChosen={view === chosen}>
          {view.name}
        </ViewLink>
      ))}
      {chosen === undefined && isFiltered && <SaveAct page={page} query={query} views={views} />}
      {chosen !== undefined && <RenameAct key={`rename ${chosen.id}`} view={chosen} />}
      {chosen !== undefined && <DeleteAct key={`delete ${chosen.id}`} view={chosen} />}
    </Group>
  );
}

function ViewLink({
  search,
  isChosen,
  children,
}: {
  readonly search: Record<string, string>;
  readonly isChosen: boolean;
  readonly children: string;
}) {
  return (
    // Each page reads from the address what is a filter of its own.
    <Link
      to="."
      search={search as never}
      className="view-link plain-link"
      activeProps={{ 'aria-current': undefined }}
      {...(isChosen ? { 'data-chosen': true } : {})}
    >
      {children}
    </Link>
  );
}

/** A name that the person has used before names the same view. */
function SaveAct({
  page,
  query,
  views,
}: {
  readonly page: string;
  readonly query: string;
  readonly views: readonly SavedView[];
}) {
  const words = useWords(VIEW_WORDS);
  const { mode } = useMode();
  return (
    <Act
      label={words.save}
      size="xs"
      what={words.saveAct}
      run={(form) => {
        const name = textOf(form, 'name');
        const replaced = views.find((view) => view.name === name);
        return dataOf(
          replaced === undefined
            ? api.POST('/admin/views', { body: { page, mode, name, query } })
            : api.PATCH('/admin/views/{id}', { params: { path: { id: replaced.id } }, body: { query } }),
        );
      }}
      refresh={[SAVED_VIEWS]}
    >
      <TextInput name="name" label={words.name} description={words.nameHint} required maxLength={60} data-autofocus />
    </Act>
  );
}

function RenameAct({ view: { id, name } }: { readonly view: SavedView }) {
  const words = useWords(VIEW_WORDS);
  return (
    <Act
      label={words.rename}
      size="xs"
      what={words.renameAct(name)}
      run={(form) =>
        dataOf(api.PATCH('/admin/views/{id}', { params: { path: { id } }, body: { name: textOf(form, 'name') } }))
      }
      refresh={[SAVED_VIEWS]}
    >
      <TextInput name="name" label={words.name} defaultValue={name} required maxLength={60} data-autofocus />
    </Act>
  );
}

function DeleteAct({ view: { id, name } }: { readonly view: SavedView }) {
  const words = useWords(VIEW_WORDS);
  return (
    <Act
      label={words.delete}
      size="xs"
      color="red"
      what={words.deleteAct(name)}
      run={() => bodyOf(api.DELETE('/admin/views/{id}', { params: { path: { id } } }))}
      refresh={[SAVED_VIEWS]}
    >
      <Note>{words.deleteWhat}</Note>
    </Act>
  );
}
