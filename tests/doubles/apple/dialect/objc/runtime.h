// The functions of the Objective-C runtime that anexd calls, as Apple declares them.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_OBJC_RUNTIME_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_OBJC_RUNTIME_H_

#import <Foundation/Foundation.h>

extern "C" {
Method class_getClassMethod(Class cls, SEL selector);
Method class_getInstanceMethod(Class cls, SEL selector);
const char* method_getTypeEncoding(Method method);
SEL sel_registerName(const char* name);
}

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_OBJC_RUNTIME_H_
