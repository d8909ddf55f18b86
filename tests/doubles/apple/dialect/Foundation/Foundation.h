// As much of Foundation as anexd's Objective-C++ names, in Apple's dialect: enough for clang to
// check types with -fobjc-runtime=macosx-14.0, nothing to link or run. Declarations as Apple
// documents them.
#ifndef ANEX_TESTS_DOUBLES_APPLE_DIALECT_FOUNDATION_FOUNDATION_H_
#define ANEX_TESTS_DOUBLES_APPLE_DIALECT_FOUNDATION_FOUNDATION_H_

#include <stddef.h>
#include <stdint.h>

typedef unsigned long NSUInteger;
typedef long NSInteger;
typedef bool BOOL;  // as on Apple silicon
typedef struct objc_class* Class;
typedef struct objc_selector* SEL;
typedef struct objc_method* Method;
#define YES __objc_yes
#define NO __objc_no
#define nil nullptr
#define Nil nullptr

@class NSString, NSError, NSNumber, NSData, NSException, NSMethodSignature, NSArray<T>,
    NSDictionary<K, V>, NSMutableArray<T>;

@protocol NSObject
- (BOOL)isKindOfClass:(Class)cls;
- (BOOL)respondsToSelector:(SEL)selector;
- (instancetype)retain;
- (oneway void)release;
- (instancetype)autorelease;
@property(readonly) NSUInteger hash;
@end

@protocol NSCopying
@end

typedef struct {
  unsigned long state;
  id __unsafe_unretained* itemsPtr;
  unsigned long* mutationsPtr;
  unsigned long extra[5];
} NSFastEnumerationState;

@protocol NSFastEnumeration
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState*)state
                                  objects:(id __unsafe_unretained[])buffer
                                    count:(NSUInteger)count;
@end

__attribute__((objc_root_class))
@interface NSObject<NSObject>
+ (instancetype)alloc;
+ (instancetype)new;
+ (Class)class;
- (instancetype)init;
- (id)copy;
- (void)dealloc;
@end

@interface NSString : NSObject <NSCopying>
@property(readonly) const char* UTF8String;
@property(readonly) NSUInteger length;
+ (instancetype)stringWithUTF8String:(const char*)text;
+ (instancetype)stringWithFormat:(NSString*)format, ...;
- (instancetype)initWithBytes:(const void*)bytes
                       length:(NSUInteger)length
                     encoding:(NSUInteger)encoding;
- (NSString*)stringByAppendingPathComponent:(NSString*)part;
@end
enum : NSUInteger { NSUTF8StringEncoding = 4 };

@interface NSNumber : NSObject
+ (NSNumber*)numberWithInt:(int)value;
+ (NSNumber*)numberWithUnsignedInt:(unsigned int)value;
+ (NSNumber*)numberWithLong:(long)value;
+ (NSNumber*)numberWithUnsignedLong:(unsigned long)value;
+ (NSNumber*)numberWithLongLong:(long long)value;
+ (NSNumber*)numberWithUnsignedLongLong:(unsigned long long)value;
+ (NSNumber*)numberWithBool:(BOOL)value;
@property(readonly) BOOL boolValue;
@property(readonly) long long longLongValue;
@property(readonly) unsigned int unsignedIntValue;
@property(readonly) NSUInteger unsignedIntegerValue;
@property(readonly) unsigned long long unsignedLongLongValue;
@end

@interface NSData : NSObject
+ (instancetype)dataWithBytes:(const void*)bytes length:(NSUInteger)length;
+ (instancetype)dataWithBytesNoCopy:(void*)bytes length:(NSUInteger)length freeWhenDone:(BOOL)free;
@property(readonly) NSUInteger length;
@end

@interface NSArray<T> : NSObject <NSFastEnumeration>
+ (instancetype)arrayWithObjects:(const T[])objects count:(NSUInteger)count;
- (T)objectAtIndex:(NSUInteger)index;
@property(readonly) NSUInteger count;
@end
@interface NSMutableArray<T> : NSArray <T>
+ (instancetype)array;
- (void)addObject:(T)object;
@end

@interface NSDictionary<K, V> : NSObject <NSFastEnumeration>
+ (instancetype)dictionaryWithObjects:(const V[])objects
                              forKeys:(const id<NSCopying>[])keys
                                count:(NSUInteger)count;
- (instancetype)initWithObjectsAndKeys:(id)first, ...;
- (V)objectForKey:(K)key;
@property(readonly) NSUInteger count;
@end
@interface NSMutableDictionary<K, V> : NSDictionary <K, V>
+ (instancetype)dictionary;
- (void)setObject:(V)object forKey:(id<NSCopying>)key;
@end

@interface NSURL : NSObject
+ (NSURL*)fileURLWithPath:(NSString*)path;
@property(readonly) NSString* path;
@end

@interface NSError : NSObject
@property(readonly) NSString* domain;
@property(readonly) NSInteger code;
@property(readonly) NSString* localizedDescription;
@end

@interface NSException : NSObject
@property(readonly) NSString *name, *reason;
@end

extern "C" {
Class NSClassFromString(NSString* name);
NSString* NSTemporaryDirectory(void);
}

#endif  // ANEX_TESTS_DOUBLES_APPLE_DIALECT_FOUNDATION_FOUNDATION_H_
