// Arguments and attributes that are given twice: of an operation (in the parentheses, in the
// brackets, or one in each), of a function, of the program. Which of the two would count depends on
// who reads the text, so such a text has no meaning, and no canonical form either.
//
// Needs the tree alone; linear in it, and each piece stands for itself. One thread.
#ifndef ANEX_SERVER_MIL_DUPLICATES_H_
#define ANEX_SERVER_MIL_DUPLICATES_H_

#include "server/mil/diagnostic.h"
#include "server/mil/source_text.h"
#include "server/mil/syntax.h"

namespace anex::mil {

// Of the whole.
void CheckDuplicates(const SourceText& source, const ProgramSyntax& program, DiagnosticSink& sink);
// Of an operation, or of the attributes of a function or program.
void CheckDuplicates(const SourceText& source, const OperationSyntax& operation,
                     DiagnosticSink& sink);
void CheckDuplicates(const SourceText& source, Nodes<ArgumentSyntax> attributes,
                     DiagnosticSink& sink);

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_DUPLICATES_H_
