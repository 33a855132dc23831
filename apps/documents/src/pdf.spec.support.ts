import { deflateSync } from 'node:zlib';

interface PdfParts {
  /** Says that it is protected by a password that nobody has. */
  encrypted?: boolean;
}

/** A PDF with a page for each text, whose lines are in Latin letters. */
export function pdfOf(pages: readonly string[], parts: PdfParts = {}): Buffer {
  return withStreams(pages.map((page) => ({ content: Buffer.from(shown(page), 'latin1') })), parts);
}

/** A PDF of one page whose content unpacks to so many bytes of nothing. */
export function bombOf(bytes: number): Buffer {
  return withStreams([{ content: deflateSync(Buffer.alloc(bytes)), filter: '/FlateDecode' }]);
}

function shown(page: string): string {
  const lines = page.split('\n').map((line) => `(${line.replaceAll(/[\\()]/g, '\\$&')}) Tj T*`);
  return `BT /F1 12 Tf 14 TL 72 720 Td ${lines.join(' ')} ET`;
}

/** Objects, and the table of where they begin (ISO 32000-1, 7.5). */
function withStreams(streams: readonly { content: Buffer; filter?: string }[], { encrypted = false }: PdfParts = {}): Buffer {
  const page = (index: number) => 4 + 2 * index;
  const text = (object: string) => Buffer.from(object, 'latin1');
  const objects = [
    text('<< /Type /Catalog /Pages 2 0 R >>'),
    text(`<< /Type /Pages /Kids [${streams.map((_stream, index) => `${page(index)} 0 R`).join(' ')}] /Count ${streams.length} >>`),
    text('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
    ...streams.flatMap(({ content, filter }, index) => [
      text(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${page(index) + 1} 0 R >>`),
      Buffer.concat([text(`<< /Length ${content.length}${filter === undefined ? '' : ` /Filter ${filter}`} >>\nstream\n`), content, text('\nendstream')]),
    ]),
  ];
  const file = [text('%PDF-1.4\n')];
  const begins: number[] = [];
  let length = file[0]!.length;
  for (const [index, object] of objects.entries()) {
    begins.push(length);
    const whole = Buffer.concat([text(`${index + 1} 0 obj\n`), object, text('\nendobj\n')]);
    file.push(whole);
    length += whole.length;
  }
  const entries = begins.map((begin) => `${String(begin).padStart(10, '0')} 00000 n \n`).join('');
  const password = encrypted ? ` /Encrypt << /Filter /Standard /V 1 /R 2 /O (${'o'.repeat(32)}) /U (${'u'.repeat(32)}) /P -4 >> /ID [(id) (id)]` : '';
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R${password} >>\nstartxref\n${length}\n%%EOF\n`;
  return Buffer.concat([...file, text(table)]);
}
