; Instructions on memory, each in the form that its text says, for the decoder's tests.
; Tests/X86Tests/make-vectors assembles this file and writes DecoderVectors.swift: the text is the expectation, nasm's
; bytes are the input. Texts are as plain as the tests' reader wants them: "mnemonic operand, operand".
bits 16
start:
    mov ecx, [bx+si]
    mov ecx, [bx+si+0x12]
    mov ecx, [bx+si-0x12]
    mov ecx, [bx+si+0x1234]
    mov ecx, [bx+di]
    mov ecx, [bx+di+0x12]
    mov ecx, [bx+di-0x12]
    mov ecx, [bx+di+0x1234]
    mov ecx, [bp+si]
    mov ecx, [bp+si+0x12]
    mov ecx, [bp+si-0x12]
    mov ecx, [bp+si+0x1234]
    mov ecx, [bp+di]
    mov ecx, [bp+di+0x12]
    mov ecx, [bp+di-0x12]
    mov ecx, [bp+di+0x1234]
    mov ecx, [si]
    mov ecx, [si+0x12]
    mov ecx, [si-0x12]
    mov ecx, [si+0x1234]
    mov ecx, [di]
    mov ecx, [di+0x12]
    mov ecx, [di-0x12]
    mov ecx, [di+0x1234]
    mov ecx, [bx]
    mov ecx, [bx+0x12]
    mov ecx, [bx-0x12]
    mov ecx, [bx+0x1234]
    mov ecx, [bp+0x12]
    mov ecx, [bp-0x80]
    mov ecx, [bp+0x1234]
    mov ecx, [0x1234]
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov dx, [dword 0x12345678]
    mov al, [ebx]
    mov [ebx], al
    mov cl, [ebx]
    mov [ebx], cl
    mov dl, [ebx]
    mov [ebx], dl
    mov bl, [ebx]
    mov [ebx], bl
    mov ah, [ebx]
    mov [ebx], ah
    mov ch, [ebx]
    mov [ebx], ch
    mov dh, [ebx]
    mov [ebx], dh
    mov bh, [ebx]
    mov [ebx], bh
    mov ax, [ebx]
    mov [ebx], ax
    mov cx, [ebx]
    mov [ebx], cx
    mov dx, [ebx]
    mov [ebx], dx
    mov bx, [ebx]
    mov [ebx], bx
    mov sp, [ebx]
    mov [ebx], sp
    mov bp, [ebx]
    mov [ebx], bp
    mov si, [ebx]
    mov [ebx], si
    mov di, [ebx]
    mov [ebx], di
    mov eax, [ebx]
    mov [ebx], eax
    mov ecx, [ebx]
    mov [ebx], ecx
    mov edx, [ebx]
    mov [ebx], edx
    mov ebx, [ebx]
    mov [ebx], ebx
    mov esp, [ebx]
    mov [ebx], esp
    mov ebp, [ebx]
    mov [ebx], ebp
    mov esi, [ebx]
    mov [ebx], esi
    mov edi, [ebx]
    mov [ebx], edi
    mov al, [di]
    mov [di], al
    mov cl, [di]
    mov [di], cl
    mov dl, [di]
    mov [di], dl
    mov bl, [di]
    mov [di], bl
    mov ah, [di]
    mov [di], ah
    mov ch, [di]
    mov [di], ch
    mov dh, [di]
    mov [di], dh
    mov bh, [di]
    mov [di], bh
    add al, [esi]
    add [esi], bl
    add cx, [esi]
    add [esi], bx
    add edx, [esi]
    add [esi], ebx
    add byte [esi], 0x12
    add word [esi], 0x12
    add word [esi], -0x12
    add word [esi], 0x1234
    add dword [esi], 0x12
    add dword [esi], -0x12
    add dword [esi], 0x1234
    or cl, [esi]
    or [esi], ah
    or dx, [esi]
    or [esi], sp
    or ebx, [esi]
    or [esi], esp
    or byte [esi], 0x12
    or word [esi], 0x12
    or word [esi], -0x12
    or word [esi], 0x1234
    or dword [esi], 0x12
    or dword [esi], -0x12
    or dword [esi], 0x1234
    adc dl, [esi]
    adc [esi], ch
    adc bx, [esi]
    adc [esi], bp
    adc esp, [esi]
    adc [esi], ebp
    adc byte [esi], 0x12
    adc word [esi], 0x12
    adc word [esi], -0x12
    adc word [esi], 0x1234
    adc dword [esi], 0x12
    adc dword [esi], -0x12
    adc dword [esi], 0x1234
    sbb bl, [esi]
    sbb [esi], dh
    sbb sp, [esi]
    sbb [esi], si
    sbb ebp, [esi]
    sbb [esi], esi
    sbb byte [esi], 0x12
    sbb word [esi], 0x12
    sbb word [esi], -0x12
    sbb word [esi], 0x1234
    sbb dword [esi], 0x12
    sbb dword [esi], -0x12
    sbb dword [esi], 0x1234
    and ah, [esi]
    and [esi], bh
    and bp, [esi]
    and [esi], di
    and esi, [esi]
    and [esi], edi
    and byte [esi], 0x12
    and word [esi], 0x12
    and word [esi], -0x12
    and word [esi], 0x1234
    and dword [esi], 0x12
    and dword [esi], -0x12
    and dword [esi], 0x1234
    sub ch, [esi]
    sub [esi], al
    sub si, [esi]
    sub [esi], ax
    sub edi, [esi]
    sub [esi], eax
    sub byte [esi], 0x12
    sub word [esi], 0x12
    sub word [esi], -0x12
    sub word [esi], 0x1234
    sub dword [esi], 0x12
    sub dword [esi], -0x12
    sub dword [esi], 0x1234
    xor dh, [esi]
    xor [esi], cl
    xor di, [esi]
    xor [esi], cx
    xor eax, [esi]
    xor [esi], ecx
    xor byte [esi], 0x12
    xor word [esi], 0x12
    xor word [esi], -0x12
    xor word [esi], 0x1234
    xor dword [esi], 0x12
    xor dword [esi], -0x12
    xor dword [esi], 0x1234
    cmp bh, [esi]
    cmp [esi], dl
    cmp ax, [esi]
    cmp [esi], dx
    cmp ecx, [esi]
    cmp [esi], edx
    cmp byte [esi], 0x12
    cmp word [esi], 0x12
    cmp word [esi], -0x12
    cmp word [esi], 0x1234
    cmp dword [esi], 0x12
    cmp dword [esi], -0x12
    cmp dword [esi], 0x1234
    test [esi], cl
    xchg [esi], dl
    test [esi], cx
    xchg [esi], dx
    test [esi], ecx
    xchg [esi], edx
    test byte [esi], 0x34
    mov byte [esi], 0x56
    test word [esi], 0x34
    mov word [esi], 0x56
    test dword [esi], 0x34
    mov dword [esi], 0x56
    movzx edx, byte [ebx]
    movsx edi, byte [bx]
    movzx edx, word [ebx]
    movsx edi, word [bx]
    movzx cx, byte [ebx]
    movsx dx, byte [ebx]
    mov al, [0x1234]
    mov [0x1234], al
    mov ax, [0x1234]
    mov [0x1234], ax
    mov eax, [0x1234]
    mov [0x1234], eax
    mov eax, [es:esi]
    mov eax, [cs:esi]
    mov eax, [ss:esi]
    mov eax, [ds:esi]
    mov eax, [fs:esi]
    mov eax, [gs:esi]
    mov dword [bx+si], 0x12345678
    mov word [ebx], 0x1234
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    a16 rep stosd
    a32 rep stosd
    fs lodsb
    es rep movsd
    lock add dword [ebx], 0x1
    a32 lodsw
    a16 movsb
bits 32
    mov ecx, [bx+si]
    mov ecx, [bx+si+0x12]
    mov ecx, [bx+si-0x12]
    mov ecx, [bx+si+0x1234]
    mov ecx, [bx+di]
    mov ecx, [bx+di+0x12]
    mov ecx, [bx+di-0x12]
    mov ecx, [bx+di+0x1234]
    mov ecx, [bp+si]
    mov ecx, [bp+si+0x12]
    mov ecx, [bp+si-0x12]
    mov ecx, [bp+si+0x1234]
    mov ecx, [bp+di]
    mov ecx, [bp+di+0x12]
    mov ecx, [bp+di-0x12]
    mov ecx, [bp+di+0x1234]
    mov ecx, [si]
    mov ecx, [si+0x12]
    mov ecx, [si-0x12]
    mov ecx, [si+0x1234]
    mov ecx, [di]
    mov ecx, [di+0x12]
    mov ecx, [di-0x12]
    mov ecx, [di+0x1234]
    mov ecx, [bx]
    mov ecx, [bx+0x12]
    mov ecx, [bx-0x12]
    mov ecx, [bx+0x1234]
    mov ecx, [bp+0x12]
    mov ecx, [bp-0x80]
    mov ecx, [bp+0x1234]
    mov ecx, [0x1234]
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov dx, [dword 0x12345678]
    mov al, [ebx]
    mov [ebx], al
    mov cl, [ebx]
    mov [ebx], cl
    mov dl, [ebx]
    mov [ebx], dl
    mov bl, [ebx]
    mov [ebx], bl
    mov ah, [ebx]
    mov [ebx], ah
    mov ch, [ebx]
    mov [ebx], ch
    mov dh, [ebx]
    mov [ebx], dh
    mov bh, [ebx]
    mov [ebx], bh
    mov ax, [ebx]
    mov [ebx], ax
    mov cx, [ebx]
    mov [ebx], cx
    mov dx, [ebx]
    mov [ebx], dx
    mov bx, [ebx]
    mov [ebx], bx
    mov sp, [ebx]
    mov [ebx], sp
    mov bp, [ebx]
    mov [ebx], bp
    mov si, [ebx]
    mov [ebx], si
    mov di, [ebx]
    mov [ebx], di
    mov eax, [ebx]
    mov [ebx], eax
    mov ecx, [ebx]
    mov [ebx], ecx
    mov edx, [ebx]
    mov [ebx], edx
    mov ebx, [ebx]
    mov [ebx], ebx
    mov esp, [ebx]
    mov [ebx], esp
    mov ebp, [ebx]
    mov [ebx], ebp
    mov esi, [ebx]
    mov [ebx], esi
    mov edi, [ebx]
    mov [ebx], edi
    mov al, [di]
    mov [di], al
    mov cl, [di]
    mov [di], cl
    mov dl, [di]
    mov [di], dl
    mov bl, [di]
    mov [di], bl
    mov ah, [di]
    mov [di], ah
    mov ch, [di]
    mov [di], ch
    mov dh, [di]
    mov [di], dh
    mov bh, [di]
    mov [di], bh
    add al, [esi]
    add [esi], bl
    add cx, [esi]
    add [esi], bx
    add edx, [esi]
    add [esi], ebx
    add byte [esi], 0x12
    add word [esi], 0x12
    add word [esi], -0x12
    add word [esi], 0x1234
    add dword [esi], 0x12
    add dword [esi], -0x12
    add dword [esi], 0x1234
    or cl, [esi]
    or [esi], ah
    or dx, [esi]
    or [esi], sp
    or ebx, [esi]
    or [esi], esp
    or byte [esi], 0x12
    or word [esi], 0x12
    or word [esi], -0x12
    or word [esi], 0x1234
    or dword [esi], 0x12
    or dword [esi], -0x12
    or dword [esi], 0x1234
    adc dl, [esi]
    adc [esi], ch
    adc bx, [esi]
    adc [esi], bp
    adc esp, [esi]
    adc [esi], ebp
    adc byte [esi], 0x12
    adc word [esi], 0x12
    adc word [esi], -0x12
    adc word [esi], 0x1234
    adc dword [esi], 0x12
    adc dword [esi], -0x12
    adc dword [esi], 0x1234
    sbb bl, [esi]
    sbb [esi], dh
    sbb sp, [esi]
    sbb [esi], si
    sbb ebp, [esi]
    sbb [esi], esi
    sbb byte [esi], 0x12
    sbb word [esi], 0x12
    sbb word [esi], -0x12
    sbb word [esi], 0x1234
    sbb dword [esi], 0x12
    sbb dword [esi], -0x12
    sbb dword [esi], 0x1234
    and ah, [esi]
    and [esi], bh
    and bp, [esi]
    and [esi], di
    and esi, [esi]
    and [esi], edi
    and byte [esi], 0x12
    and word [esi], 0x12
    and word [esi], -0x12
    and word [esi], 0x1234
    and dword [esi], 0x12
    and dword [esi], -0x12
    and dword [esi], 0x1234
    sub ch, [esi]
    sub [esi], al
    sub si, [esi]
    sub [esi], ax
    sub edi, [esi]
    sub [esi], eax
    sub byte [esi], 0x12
    sub word [esi], 0x12
    sub word [esi], -0x12
    sub word [esi], 0x1234
    sub dword [esi], 0x12
    sub dword [esi], -0x12
    sub dword [esi], 0x1234
    xor dh, [esi]
    xor [esi], cl
    xor di, [esi]
    xor [esi], cx
    xor eax, [esi]
    xor [esi], ecx
    xor byte [esi], 0x12
    xor word [esi], 0x12
    xor word [esi], -0x12
    xor word [esi], 0x1234
    xor dword [esi], 0x12
    xor dword [esi], -0x12
    xor dword [esi], 0x1234
    cmp bh, [esi]
    cmp [esi], dl
    cmp ax, [esi]
    cmp [esi], dx
    cmp ecx, [esi]
    cmp [esi], edx
    cmp byte [esi], 0x12
    cmp word [esi], 0x12
    cmp word [esi], -0x12
    cmp word [esi], 0x1234
    cmp dword [esi], 0x12
    cmp dword [esi], -0x12
    cmp dword [esi], 0x1234
    test [esi], cl
    xchg [esi], dl
    test [esi], cx
    xchg [esi], dx
    test [esi], ecx
    xchg [esi], edx
    test byte [esi], 0x34
    mov byte [esi], 0x56
    test word [esi], 0x34
    mov word [esi], 0x56
    test dword [esi], 0x34
    mov dword [esi], 0x56
    movzx edx, byte [ebx]
    movsx edi, byte [bx]
    movzx edx, word [ebx]
    movsx edi, word [bx]
    movzx cx, byte [ebx]
    movsx dx, byte [ebx]
    mov al, [0x1234]
    mov [0x1234], al
    mov ax, [0x1234]
    mov [0x1234], ax
    mov eax, [0x1234]
    mov [0x1234], eax
    mov eax, [es:esi]
    mov eax, [cs:esi]
    mov eax, [ss:esi]
    mov eax, [ds:esi]
    mov eax, [fs:esi]
    mov eax, [gs:esi]
    mov dword [bx+si], 0x12345678
    mov word [ebx], 0x1234
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    a16 rep stosd
    a32 rep stosd
    fs lodsb
    es rep movsd
    lock add dword [ebx], 0x1
    a32 lodsw
    a16 movsb
bits 64
    mov ecx, [rax]
    mov [rax], r9
    mov ecx, [rax-0x12]
    mov [rax-0x12], r9
    mov ecx, [rax+0x12345678]
    mov [rax+0x12345678], r9
    mov ecx, [rax+r12*1]
    mov [rax+r12*1], r9
    mov ecx, [rax+r12*1-0x7f]
    mov [rax+r12*1-0x7f], r9
    mov ecx, [rcx]
    mov [rcx], r9
    mov ecx, [rcx-0x12]
    mov [rcx-0x12], r9
    mov ecx, [rcx+0x12345678]
    mov [rcx+0x12345678], r9
    mov ecx, [rcx+r9*2]
    mov [rcx+r9*2], r9
    mov ecx, [rcx+r9*2-0x7f]
    mov [rcx+r9*2-0x7f], r9
    mov ecx, [rdx]
    mov [rdx], r9
    mov ecx, [rdx-0x12]
    mov [rdx-0x12], r9
    mov ecx, [rdx+0x12345678]
    mov [rdx+0x12345678], r9
    mov ecx, [rdx+rbp*4]
    mov [rdx+rbp*4], r9
    mov ecx, [rdx+rbp*4-0x7f]
    mov [rdx+rbp*4-0x7f], r9
    mov ecx, [rbx]
    mov [rbx], r9
    mov ecx, [rbx-0x12]
    mov [rbx-0x12], r9
    mov ecx, [rbx+0x12345678]
    mov [rbx+0x12345678], r9
    mov ecx, [rbx+rax*8]
    mov [rbx+rax*8], r9
    mov ecx, [rbx+rax*8-0x7f]
    mov [rbx+rax*8-0x7f], r9
    mov ecx, [rsp]
    mov [rsp], r9
    mov ecx, [rsp-0x12]
    mov [rsp-0x12], r9
    mov ecx, [rsp+0x12345678]
    mov [rsp+0x12345678], r9
    mov ecx, [rsp+r12*1]
    mov [rsp+r12*1], r9
    mov ecx, [rsp+r12*1-0x7f]
    mov [rsp+r12*1-0x7f], r9
    mov ecx, [rbp+0x0]
    mov [rbp+0x0], r9
    mov ecx, [rbp-0x12]
    mov [rbp-0x12], r9
    mov ecx, [rbp+0x12345678]
    mov [rbp+0x12345678], r9
    mov ecx, [rbp+r9*2+0x8]
    mov [rbp+r9*2+0x8], r9
    mov ecx, [rbp+r9*2-0x7f]
    mov [rbp+r9*2-0x7f], r9
    mov ecx, [rsi]
    mov [rsi], r9
    mov ecx, [rsi-0x12]
    mov [rsi-0x12], r9
    mov ecx, [rsi+0x12345678]
    mov [rsi+0x12345678], r9
    mov ecx, [rsi+rbp*4]
    mov [rsi+rbp*4], r9
    mov ecx, [rsi+rbp*4-0x7f]
    mov [rsi+rbp*4-0x7f], r9
    mov ecx, [rdi]
    mov [rdi], r9
    mov ecx, [rdi-0x12]
    mov [rdi-0x12], r9
    mov ecx, [rdi+0x12345678]
    mov [rdi+0x12345678], r9
    mov ecx, [rdi+rax*8]
    mov [rdi+rax*8], r9
    mov ecx, [rdi+rax*8-0x7f]
    mov [rdi+rax*8-0x7f], r9
    mov ecx, [r8]
    mov [r8], r9
    mov ecx, [r8-0x12]
    mov [r8-0x12], r9
    mov ecx, [r8+0x12345678]
    mov [r8+0x12345678], r9
    mov ecx, [r8+r12*1]
    mov [r8+r12*1], r9
    mov ecx, [r8+r12*1-0x7f]
    mov [r8+r12*1-0x7f], r9
    mov ecx, [r9]
    mov [r9], r9
    mov ecx, [r9-0x12]
    mov [r9-0x12], r9
    mov ecx, [r9+0x12345678]
    mov [r9+0x12345678], r9
    mov ecx, [r9+r9*2]
    mov [r9+r9*2], r9
    mov ecx, [r9+r9*2-0x7f]
    mov [r9+r9*2-0x7f], r9
    mov ecx, [r10]
    mov [r10], r9
    mov ecx, [r10-0x12]
    mov [r10-0x12], r9
    mov ecx, [r10+0x12345678]
    mov [r10+0x12345678], r9
    mov ecx, [r10+rbp*4]
    mov [r10+rbp*4], r9
    mov ecx, [r10+rbp*4-0x7f]
    mov [r10+rbp*4-0x7f], r9
    mov ecx, [r11]
    mov [r11], r9
    mov ecx, [r11-0x12]
    mov [r11-0x12], r9
    mov ecx, [r11+0x12345678]
    mov [r11+0x12345678], r9
    mov ecx, [r11+rax*8]
    mov [r11+rax*8], r9
    mov ecx, [r11+rax*8-0x7f]
    mov [r11+rax*8-0x7f], r9
    mov ecx, [r12]
    mov [r12], r9
    mov ecx, [r12-0x12]
    mov [r12-0x12], r9
    mov ecx, [r12+0x12345678]
    mov [r12+0x12345678], r9
    mov ecx, [r12+r12*1]
    mov [r12+r12*1], r9
    mov ecx, [r12+r12*1-0x7f]
    mov [r12+r12*1-0x7f], r9
    mov ecx, [r13+0x0]
    mov [r13+0x0], r9
    mov ecx, [r13-0x12]
    mov [r13-0x12], r9
    mov ecx, [r13+0x12345678]
    mov [r13+0x12345678], r9
    mov ecx, [r13+r9*2+0x8]
    mov [r13+r9*2+0x8], r9
    mov ecx, [r13+r9*2-0x7f]
    mov [r13+r9*2-0x7f], r9
    mov ecx, [r14]
    mov [r14], r9
    mov ecx, [r14-0x12]
    mov [r14-0x12], r9
    mov ecx, [r14+0x12345678]
    mov [r14+0x12345678], r9
    mov ecx, [r14+rbp*4]
    mov [r14+rbp*4], r9
    mov ecx, [r14+rbp*4-0x7f]
    mov [r14+rbp*4-0x7f], r9
    mov ecx, [r15]
    mov [r15], r9
    mov ecx, [r15-0x12]
    mov [r15-0x12], r9
    mov ecx, [r15+0x12345678]
    mov [r15+0x12345678], r9
    mov ecx, [r15+rax*8]
    mov [r15+rax*8], r9
    mov ecx, [r15+rax*8-0x7f]
    mov [r15+rax*8-0x7f], r9
    mov ecx, [r12*4+0x12345678]
    mov [r12*4+0x12345678], r9
    mov ecx, [rcx*8-0x10]
    mov [rcx*8-0x10], r9
    mov ecx, [rel start]
    mov [rel start], r9
    mov ecx, [abs 0x12345678]
    mov [abs 0x12345678], r9
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov al, [rbx]
    mov [rbx], al
    mov cl, [rbx]
    mov [rbx], cl
    mov dl, [rbx]
    mov [rbx], dl
    mov bl, [rbx]
    mov [rbx], bl
    mov spl, [rbx]
    mov [rbx], spl
    mov bpl, [rbx]
    mov [rbx], bpl
    mov sil, [rbx]
    mov [rbx], sil
    mov dil, [rbx]
    mov [rbx], dil
    mov r8b, [rbx]
    mov [rbx], r8b
    mov r9b, [rbx]
    mov [rbx], r9b
    mov r10b, [rbx]
    mov [rbx], r10b
    mov r11b, [rbx]
    mov [rbx], r11b
    mov r12b, [rbx]
    mov [rbx], r12b
    mov r13b, [rbx]
    mov [rbx], r13b
    mov r14b, [rbx]
    mov [rbx], r14b
    mov r15b, [rbx]
    mov [rbx], r15b
    mov ah, [rbx]
    mov [rbx], ah
    mov ch, [rbx]
    mov [rbx], ch
    mov dh, [rbx]
    mov [rbx], dh
    mov bh, [rbx]
    mov [rbx], bh
    mov r8w, [rbx]
    mov [rbx], r8w
    mov r9w, [rbx]
    mov [rbx], r9w
    mov r10w, [rbx]
    mov [rbx], r10w
    mov r11w, [rbx]
    mov [rbx], r11w
    mov r12w, [rbx]
    mov [rbx], r12w
    mov r13w, [rbx]
    mov [rbx], r13w
    mov r14w, [rbx]
    mov [rbx], r14w
    mov r15w, [rbx]
    mov [rbx], r15w
    mov ax, [rbx]
    mov [rbx], ax
    mov cx, [rbx]
    mov [rbx], cx
    mov dx, [rbx]
    mov [rbx], dx
    mov bx, [rbx]
    mov [rbx], bx
    mov sp, [rbx]
    mov [rbx], sp
    mov bp, [rbx]
    mov [rbx], bp
    mov si, [rbx]
    mov [rbx], si
    mov di, [rbx]
    mov [rbx], di
    mov eax, [rbx]
    mov [rbx], eax
    mov ecx, [rbx]
    mov [rbx], ecx
    mov edx, [rbx]
    mov [rbx], edx
    mov ebx, [rbx]
    mov [rbx], ebx
    mov esp, [rbx]
    mov [rbx], esp
    mov ebp, [rbx]
    mov [rbx], ebp
    mov esi, [rbx]
    mov [rbx], esi
    mov edi, [rbx]
    mov [rbx], edi
    mov r8d, [rbx]
    mov [rbx], r8d
    mov r9d, [rbx]
    mov [rbx], r9d
    mov r10d, [rbx]
    mov [rbx], r10d
    mov r11d, [rbx]
    mov [rbx], r11d
    mov r12d, [rbx]
    mov [rbx], r12d
    mov r13d, [rbx]
    mov [rbx], r13d
    mov r14d, [rbx]
    mov [rbx], r14d
    mov r15d, [rbx]
    mov [rbx], r15d
    mov rax, [rbx]
    mov [rbx], rax
    mov rcx, [rbx]
    mov [rbx], rcx
    mov rdx, [rbx]
    mov [rbx], rdx
    mov rbx, [rbx]
    mov [rbx], rbx
    mov rsp, [rbx]
    mov [rbx], rsp
    mov rbp, [rbx]
    mov [rbx], rbp
    mov rsi, [rbx]
    mov [rbx], rsi
    mov rdi, [rbx]
    mov [rbx], rdi
    mov r8, [rbx]
    mov [rbx], r8
    mov r9, [rbx]
    mov [rbx], r9
    mov r10, [rbx]
    mov [rbx], r10
    mov r11, [rbx]
    mov [rbx], r11
    mov r12, [rbx]
    mov [rbx], r12
    mov r13, [rbx]
    mov [rbx], r13
    mov r14, [rbx]
    mov [rbx], r14
    mov r15, [rbx]
    mov [rbx], r15
    add al, [rsi]
    add [rsi], bl
    add cx, [rsi]
    add [rsi], bx
    add edx, [rsi]
    add [rsi], ebx
    add rbx, [rsi]
    add [rsi], rbx
    add byte [rsi], 0x12
    add word [rsi], 0x12
    add word [rsi], -0x12
    add word [rsi], 0x1234
    add dword [rsi], 0x12
    add dword [rsi], -0x12
    add dword [rsi], 0x1234
    add qword [rsi], 0x12
    add qword [rsi], -0x12
    add qword [rsi], 0x1234
    or cl, [rsi]
    or [rsi], spl
    or dx, [rsi]
    or [rsi], sp
    or ebx, [rsi]
    or [rsi], esp
    or rsp, [rsi]
    or [rsi], rsp
    or byte [rsi], 0x12
    or word [rsi], 0x12
    or word [rsi], -0x12
    or word [rsi], 0x1234
    or dword [rsi], 0x12
    or dword [rsi], -0x12
    or dword [rsi], 0x1234
    or qword [rsi], 0x12
    or qword [rsi], -0x12
    or qword [rsi], 0x1234
    adc dl, [rsi]
    adc [rsi], bpl
    adc bx, [rsi]
    adc [rsi], bp
    adc esp, [rsi]
    adc [rsi], ebp
    adc rbp, [rsi]
    adc [rsi], rbp
    adc byte [rsi], 0x12
    adc word [rsi], 0x12
    adc word [rsi], -0x12
    adc word [rsi], 0x1234
    adc dword [rsi], 0x12
    adc dword [rsi], -0x12
    adc dword [rsi], 0x1234
    adc qword [rsi], 0x12
    adc qword [rsi], -0x12
    adc qword [rsi], 0x1234
    sbb bl, [rsi]
    sbb [rsi], sil
    sbb sp, [rsi]
    sbb [rsi], si
    sbb ebp, [rsi]
    sbb [rsi], esi
    sbb rsi, [rsi]
    sbb [rsi], rsi
    sbb byte [rsi], 0x12
    sbb word [rsi], 0x12
    sbb word [rsi], -0x12
    sbb word [rsi], 0x1234
    sbb dword [rsi], 0x12
    sbb dword [rsi], -0x12
    sbb dword [rsi], 0x1234
    sbb qword [rsi], 0x12
    sbb qword [rsi], -0x12
    sbb qword [rsi], 0x1234
    and spl, [rsi]
    and [rsi], dil
    and bp, [rsi]
    and [rsi], di
    and esi, [rsi]
    and [rsi], edi
    and rdi, [rsi]
    and [rsi], rdi
    and byte [rsi], 0x12
    and word [rsi], 0x12
    and word [rsi], -0x12
    and word [rsi], 0x1234
    and dword [rsi], 0x12
    and dword [rsi], -0x12
    and dword [rsi], 0x1234
    and qword [rsi], 0x12
    and qword [rsi], -0x12
    and qword [rsi], 0x1234
    sub bpl, [rsi]
    sub [rsi], r8b
    sub si, [rsi]
    sub [rsi], ax
    sub edi, [rsi]
    sub [rsi], eax
    sub r8, [rsi]
    sub [rsi], r8
    sub byte [rsi], 0x12
    sub word [rsi], 0x12
    sub word [rsi], -0x12
    sub word [rsi], 0x1234
    sub dword [rsi], 0x12
    sub dword [rsi], -0x12
    sub dword [rsi], 0x1234
    sub qword [rsi], 0x12
    sub qword [rsi], -0x12
    sub qword [rsi], 0x1234
    xor sil, [rsi]
    xor [rsi], r9b
    xor di, [rsi]
    xor [rsi], cx
    xor eax, [rsi]
    xor [rsi], ecx
    xor r9, [rsi]
    xor [rsi], r9
    xor byte [rsi], 0x12
    xor word [rsi], 0x12
    xor word [rsi], -0x12
    xor word [rsi], 0x1234
    xor dword [rsi], 0x12
    xor dword [rsi], -0x12
    xor dword [rsi], 0x1234
    xor qword [rsi], 0x12
    xor qword [rsi], -0x12
    xor qword [rsi], 0x1234
    cmp dil, [rsi]
    cmp [rsi], r10b
    cmp ax, [rsi]
    cmp [rsi], dx
    cmp ecx, [rsi]
    cmp [rsi], edx
    cmp r10, [rsi]
    cmp [rsi], r10
    cmp byte [rsi], 0x12
    cmp word [rsi], 0x12
    cmp word [rsi], -0x12
    cmp word [rsi], 0x1234
    cmp dword [rsi], 0x12
    cmp dword [rsi], -0x12
    cmp dword [rsi], 0x1234
    cmp qword [rsi], 0x12
    cmp qword [rsi], -0x12
    cmp qword [rsi], 0x1234
    test [rsi], cl
    xchg [rsi], dl
    test [rsi], cx
    xchg [rsi], dx
    test [rsi], ecx
    xchg [rsi], edx
    test [rsi], rcx
    xchg [rsi], rdx
    test byte [rsi], 0x34
    mov byte [rsi], 0x56
    test word [rsi], 0x34
    mov word [rsi], 0x56
    test dword [rsi], 0x34
    mov dword [rsi], 0x56
    test qword [rsi], 0x34
    mov qword [rsi], 0x56
    movzx dx, byte [r14]
    movsx dx, byte [rbx]
    movzx edi, byte [r14]
    movsx edi, byte [rbx]
    movzx r10d, byte [r14]
    movsx r10d, byte [rbx]
    movzx r11, byte [r14]
    movsx r11, byte [rbx]
    movzx edi, word [r14]
    movsx edi, word [rbx]
    movzx r10d, word [r14]
    movsx r10d, word [rbx]
    movzx r11, word [r14]
    movsx r11, word [rbx]
    movsxd rax, dword [rbx]
    movsxd r9, dword [r10+r11*2]
    mov al, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], al
    mov ax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], ax
    mov eax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], eax
    mov rax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], rax
    mov eax, [fs:rsi]
    mov rax, [fs:0x28]
    mov eax, [gs:rsi]
    mov rax, [gs:0x28]
    mov qword [rbx], -0x12345678
    mov dword [rel start], 0x12345678
    add qword [rel start], 0x12
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    stosq
    rep stosq
    lodsq
    rep lodsq
    movsq
    rep movsq
    a32 rep stosq
    a32 lodsb
    fs lodsb
    gs rep movsq
    lock xor qword [rbx], 0x1
    lock add dword [ebx], 0x1
