import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';

/** A form whose fields are read when it is sent. */
export function Form({
  submit,
  children,
}: {
  readonly submit: (fields: FormData) => void;
  readonly children: ReactNode;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      <Stack>{children}</Stack>
    </form>
  );
}

/** Returns a field's text; empty if the form has no such field. */
export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
