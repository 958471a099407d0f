const ELF_MAGIC = 0x7f454c46;
const PROGRAM_INTERPRETER = 3;

/**
 * Returns whether a file is a 64-bit little-endian ELF program that needs no dynamic linker, that is, names no interpreter (elf(5),
 * PT_INTERP).
 */
export function isStaticProgram(program: Uint8Array): boolean {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.byteLength);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== ELF_MAGIC || bytes[4] !== 2 || bytes[5] !== 1) return false;
  const table = Number(bytes.readBigUInt64LE(32));
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if (size < 4 || table + size * count > bytes.length) return false;
  for (let i = 0; i < count; i += 1) {
    if (bytes.readUInt32LE(table + i * size) === PROGRAM_INTERPRETER) return false;
  }
  return true;
}
