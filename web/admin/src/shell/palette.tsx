import '@mantine/spotlight/styles.css';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { searchOf, useSavedViews, type SavedView } from '../views/saved-views.ts';
import { useLanguage } from '../words/language.tsx';
import { useMenu } from './menu.ts';
import { useMode } from './mode.ts';

function pathOf({ mode, page }: SavedView): string {
  return `${mode.toLowerCase()}/${page}`;
}

/** Goes to any page or saved view by the beginning of its name, or finds whatever was typed. */
export function Palette() {
  const { words } = useLanguage();
  const { path } = useMode();
  const navigate = useNavigate();
  const menu = useMenu();
  const [typed, setTyped] = useState('');
  useEffect(() => spotlight.open(), []);
  const views = useSavedViews();
  const wanted = typed.trim().toLowerCase();
  const pages = menu
    .flatMap((group) => group.pages)
    .filter(({ name }) => words.nav[name].toLowerCase().includes(wanted));
  return (
    <Spotlight.Root
      query={typed}
      onQueryChange={setTyped}
      shortcut="mod + K"
      clearQueryOnClose
      attributes={{ content: { 'aria-label': words.palette } }}
    >
      <Spotlight.Search placeholder={words.palette} aria-label={words.palette} />
      <Spotlight.ActionsList>
        {pages.map(({ to, name }) => (
          <Spotlight.Action
            key={name}
            label={words.nav[name]}
            onClick={() => void navigate({ to, params: { mode: path }, search: {} as never })}
          />
        ))}
        {views
          .filter(({ name }) => name.toLowerCase().includes(wanted))
          .map((view) => (
            <Spotlight.Action
              key={view.id}
              label={view.name}
              description={`/${pathOf(view)}`}
              onClick={() => void navigate({ to: `/${pathOf(view)}`, search: searchOf(view) as never })}
            />
          ))}
        {wanted !== '' && (
          <Spotlight.Action
            label={words.paletteFind(typed.trim())}
            onClick={() => void navigate({ to: '/$mode/search', params: { mode: path }, search: { q: typed.trim() } })}
          />
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
