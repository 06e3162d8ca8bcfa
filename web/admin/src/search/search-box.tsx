import { TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { textOf } from '../parts/form.tsx';
import { useMode } from '../shell/mode.ts';
import { useLanguage } from '../words/language.tsx';

/** Takes whatever a person has at hand. */
export function SearchBox({ typed = '', focus = false }: { readonly typed?: string; readonly focus?: boolean }) {
  const { words } = useLanguage();
  const { path } = useMode();
  const navigate = useNavigate();
  return (
    <form
      role="search"
      aria-label={words.search.title}
      onSubmit={(event) => {
        event.preventDefault();
        const q = textOf(new FormData(event.currentTarget), 'q');
        if (q !== '') {
          void navigate({ to: '/$mode/search', params: { mode: path }, search: { q } });
        }
      }}
    >
      <TextInput
        key={typed}
        name="q"
        type="search"
        size="xs"
        w={{ base: '100%', sm: 320 }}
        aria-label={words.search.title}
        placeholder={words.search.hint}
        defaultValue={typed}
        maxLength={255}
        autoFocus={focus}
      />
    </form>
  );
}
