"""What any face shows, as plain data: cards, tables, notes and explanations, with units already formatted. One idea a module;
import what is needed from its module, because a face starts faster when it imports no more than that."""
