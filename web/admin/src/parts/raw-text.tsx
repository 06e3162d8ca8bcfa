import { Code, ScrollArea } from '@mantine/core';

/** A stranger's text, word for word. JSON is indented. */
export function RawText({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': label, role: 'region' }}>
      <Code block className="breaks raw">
        {indented(text)}
      </Code>
    </ScrollArea.Autosize>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
